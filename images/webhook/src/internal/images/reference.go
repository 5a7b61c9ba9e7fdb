// Package images rewrites the image references of pods to a mirror and to digests.
package images

import "strings"

// Docker's registry, its other name, and the folder of its images without one.
const (
	docker       = "docker.io"
	dockerIndex  = "index.docker.io"
	dockerFolder = "library/"
)

// reference is an image reference in its parts.
type reference struct {
	// name is registry and repository, spelt out: docker.io/library/nginx.
	name string
	// tag is without ":", digest with its algorithm; either may be empty.
	tag, digest string
}

// parse takes a reference apart as containerd does. What is no reference comes back as it is: the kubelet will say so.
func parse(text string) reference {
	parsed := reference{name: text}
	if at := strings.IndexByte(parsed.name, '@'); at >= 0 {
		parsed.name, parsed.digest = parsed.name[:at], parsed.name[at+1:]
	}
	// A colon after the last slash begins a tag; before it, it's a port.
	if at := strings.LastIndexByte(parsed.name, ':'); at > strings.LastIndexByte(parsed.name, '/') {
		parsed.name, parsed.tag = parsed.name[:at], parsed.name[at+1:]
	}
	parsed.name = spelt(parsed.name)
	return parsed
}

// spelt puts in what a short name leaves out: the first part is a registry if it has a dot or a port, or is localhost.
func spelt(name string) string {
	first, rest, slashed := strings.Cut(name, "/")
	switch {
	case !slashed:
		return docker + "/" + dockerFolder + name
	case first == docker || first == dockerIndex:
		if !strings.Contains(rest, "/") {
			rest = dockerFolder + rest
		}
		return docker + "/" + rest
	case strings.ContainsAny(first, ".:") || first == "localhost":
		return name
	}
	return docker + "/" + name
}

// tagged is the name with its tag, or latest: what a digest is looked up by.
func (r reference) tagged() string {
	if r.tag == "" {
		return r.name + ":latest"
	}
	return r.name + ":" + r.tag
}

// String keeps a tag beside a digest: people read it, runtimes go by the digest.
func (r reference) String() string {
	text := r.name
	if r.tag != "" {
		text += ":" + r.tag
	}
	if r.digest != "" {
		text += "@" + r.digest
	}
	return text
}
