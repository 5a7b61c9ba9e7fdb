package oci

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/web"
)

const longestManifest = 4 << 20 // bytes, the limit the distribution spec asks registries to accept

// Source names an artefact in a registry.
type Source struct {
	Client      *web.Client
	Registry    string
	Name        string
	Revision    string // tag or digest; "" for the name's own
	Platform    string // os/architecture[/variant]
	PlainHTTP   bool
	Credentials Credentials
	Realms      []string // further hosts that may see the credentials
}

// Plan resolves the reference to a manifest and gives its titled layers.
func (s Source) Plan(ctx context.Context) (plan.Plan, error) {
	reference, err := parseReference(s.Registry, s.Name, s.Revision, s.PlainHTTP)
	if err != nil {
		return plan.Plan{}, err
	}
	auth, err := newTokens(s.Client, reference, s.Credentials, s.Realms)
	if err != nil {
		return plan.Plan{}, err
	}
	mends := map[fault.Kind]string{
		fault.NotFound: "check --registry, --name and the tag",
		fault.Auth:     "log in with docker login, or mount its config.json and set DOCKER_CONFIG to its folder",
	}
	request := web.Request{Auth: auth, Mends: mends}
	manifest, digest, err := s.resolve(ctx, reference, request)
	if err != nil {
		return plan.Plan{}, err
	}
	p := plan.Plan{Revision: string(digest)}
	for _, layer := range manifest.Layers {
		if layer.title() == "" {
			continue
		}
		if layer.packed() {
			return p, &fault.Error{Kind: fault.NotFound, What: fmt.Sprintf("%q is a packed folder, which this program does not unpack", layer.title()),
				Where: reference.repository, Mend: "push its files one by one, or leave it out and use oras pull"}
		}
		file, err := layer.file(reference)
		if err != nil {
			return p, err
		}
		file.Request = request
		file.Request.URL = reference.blob(file.Digest)
		p.Files = append(p.Files, file)
	}
	if len(p.Files) == 0 {
		return p, &fault.Error{Kind: fault.NotFound, What: "no layer has a title", Where: reference.manifest(reference.version),
			Mend: "this is a container image rather than an artefact; push files with oras push"}
	}
	return p, nil
}

// resolve fetches the manifest, through an index if there is one; each document is checked against its digest.
func (s Source) resolve(ctx context.Context, reference reference, request web.Request) (document, plan.Digest, error) {
	version := reference.version
	for range 3 { // an index in an index, and no deeper
		found, digest, err := s.document(ctx, reference, request, version)
		if err != nil || !found.isIndex() {
			return found, digest, err
		}
		chosen, available := found.choose(s.Platform)
		if chosen == nil {
			return found, digest, &fault.Error{Kind: fault.NotFound, What: "nothing for " + s.Platform, Where: reference.manifest(version),
				Mend: "pass --platform with one of " + strings.Join(available, ", ")}
		}
		version = chosen.Digest
		if _, err := plan.ParseDigest(version); err != nil {
			return found, digest, err
		}
	}
	return document{}, "", &fault.Error{Kind: fault.Integrity, What: "indexes nested too deep", Where: reference.manifest(version)}
}

func (s Source) document(ctx context.Context, reference reference, request web.Request, version string) (document, plan.Digest, error) {
	request.URL = reference.manifest(version)
	request.Header = http.Header{"Accept": {strings.Join([]string{ociIndex, ociManifest, dockerList, dockerManifest}, ", ")}}
	body, header, err := s.Client.Fetch(ctx, request, longestManifest)
	if err != nil {
		return document{}, "", err
	}
	expected, err := plan.ParseDigest(version)
	if err != nil { // a tag: the registry's own word is the best there is
		expected, _ = plan.ParseDigest(header.Get("Docker-Content-Digest"))
	}
	hash := expected.Hash(int64(len(body)))
	_, _ = hash.Write(body)
	digest := expected.Sum(hash)
	if expected != "" && digest != expected {
		return document{}, "", &fault.Error{Kind: fault.Integrity, What: fmt.Sprintf("wrong manifest: expected %s, got %s", expected, digest), Where: request.URL}
	}
	var parsed document
	if err := json.Unmarshal(body, &parsed); err != nil {
		return parsed, "", &fault.Error{Kind: fault.Integrity, What: "the manifest is not JSON", Where: request.URL, Cause: err}
	}
	return parsed, digest, nil
}
