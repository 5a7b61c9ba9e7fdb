// Package oci is --type oci: the files of an artefact or model in a registry, by the OCI distribution spec 1.1.
package oci

import (
	"net/url"
	"regexp"
	"strings"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
)

// reference is a name taken apart. base is the registry's API root, as in "https://ghcr.io".
type reference struct {
	base       *url.URL
	repository string
	version    string // tag or digest
}

const (
	defaultTag = "latest"
	dockerHub  = "registry-1.docker.io"
)

// Grammar of the distribution spec, "Pulling manifests".
var (
	repositoryShape = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagShape        = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	schemed         = regexp.MustCompile(`^https?://`)
)

// parseReference reads --registry, --name and --revision. Without a registry the name starts with one, or is of
// Docker Hub. plainHTTP is for registries given without a scheme.
func parseReference(registry, name, revision string, plainHTTP bool) (reference, error) {
	if registry == "" {
		registry, name = hostOf(name)
	}
	if !schemed.MatchString(registry) {
		scheme := "https://"
		if plainHTTP {
			scheme = "http://"
		}
		registry = scheme + registry
	}
	base, err := url.Parse(strings.TrimRight(registry, "/"))
	if err != nil || base.Host == "" {
		return reference{}, fault.Usagef("give a host such as ghcr.io, or a URL", "bad --registry %q", registry)
	}
	if base.Host == "docker.io" || base.Host == "index.docker.io" {
		base.Host = dockerHub
	}
	repository, version := splitName(name)
	if revision != "" {
		version = revision
	}
	if prefix := strings.Trim(base.Path, "/"); prefix != "" { // "--registry ghcr.io/team"
		repository, base.Path = prefix+"/"+repository, ""
	}
	if base.Host == dockerHub && !strings.Contains(repository, "/") {
		repository = "library/" + repository
	}
	if !repositoryShape.MatchString(repository) {
		return reference{}, fault.Usagef("it is org/model:tag or org/model@sha256:…, in lower case", "bad --name %q", name)
	}
	if _, err := plan.ParseDigest(version); err != nil && !tagShape.MatchString(version) {
		return reference{}, fault.Usagef("it is a tag or a digest", "bad version %q", version)
	}
	return reference{base: base, repository: repository, version: version}, nil
}

// hostOf splits a host off a name: the first part is one if it has a dot or a port, or is localhost.
func hostOf(name string) (host, rest string) {
	first, rest, ok := strings.Cut(name, "/")
	if ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return first, rest
	}
	return dockerHub, name
}

// splitName gives repository and version; a digest wins over a tag beside it.
func splitName(name string) (repository, version string) {
	name, digest, pinned := strings.Cut(name, "@")
	colon := strings.LastIndex(name, ":")
	if colon > strings.LastIndex(name, "/") {
		name, version = name[:colon], name[colon+1:]
	}
	switch {
	case pinned:
		version = digest
	case version == "":
		version = defaultTag
	}
	return name, version
}

func (r reference) manifest(version string) string {
	return r.base.JoinPath("v2", r.repository, "manifests", version).String()
}

func (r reference) blob(digest plan.Digest) string {
	return r.base.JoinPath("v2", r.repository, "blobs", string(digest)).String()
}
