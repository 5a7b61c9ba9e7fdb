package oci

import (
	"strings"

	"waybill/downloader/internal/plan"
)

const (
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
)

// descriptor, as of the OCI image spec.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations"`
	Platform    *platform         `json:"platform"`
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

// document is an index or a manifest: whichever of the two lists it has says which.
type document struct {
	MediaType string       `json:"mediaType"`
	Manifests []descriptor `json:"manifests"`
	Layers    []descriptor `json:"layers"`
}

func (d document) isIndex() bool {
	return d.MediaType == ociIndex || d.MediaType == dockerList || d.MediaType == "" && len(d.Manifests) > 0
}

// Annotations that name a layer's file: ORAS and the image spec's, then CNCF ModelPack's two.
var titles = []string{"org.opencontainers.image.title", "org.cncf.model.filepath", "org.cnai.model.filepath"}

func (d descriptor) title() string {
	for _, key := range titles {
		if name := d.Annotations[key]; name != "" {
			return strings.TrimPrefix(name, "./")
		}
	}
	return ""
}

// packed tells of a folder that ORAS packed as a tar for transport and would unpack.
func (d descriptor) packed() bool {
	return d.Annotations["io.deis.oras.content.unpack"] == "true"
}

// choose gives the entry for a platform "os/architecture[/variant]"; an index of one entry without a platform
// needs no choice. available lists what there is.
func (d document) choose(wanted string) (chosen *descriptor, available []string) {
	for i, m := range d.Manifests {
		if m.Platform == nil {
			if len(d.Manifests) == 1 {
				return &d.Manifests[i], nil
			}
			continue
		}
		exact := m.Platform.OS + "/" + m.Platform.Architecture
		if exact == wanted || exact+"/"+m.Platform.Variant == wanted {
			return &d.Manifests[i], nil
		}
		available = append(available, strings.TrimSuffix(exact+"/"+m.Platform.Variant, "/"))
	}
	return nil, available
}

func (d descriptor) file(reference reference) (plan.File, error) {
	digest, err := plan.ParseDigest(d.Digest)
	return plan.File{Path: d.title(), Size: d.Size, Digest: digest}, err
}
