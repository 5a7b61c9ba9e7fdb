// Package httpfiles is --type http: files by name under a base URL, or by their own URLs.
package httpfiles

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/web"
)

// Source is what the user named. Digests maps names to what they must hash to.
type Source struct {
	Base    string // --registry; may be "" where every name is a URL
	Names   []string
	Digests map[string]plan.Digest
	Auth    web.Authorizer // for URLs of the base's origin only; nil for none
}

// Plan resolves names against the base; it asks no server.
func (s Source) Plan(context.Context) (plan.Plan, error) {
	var p plan.Plan
	for _, name := range s.Names {
		file, err := s.file(name)
		if err != nil {
			return p, err
		}
		p.Files = append(p.Files, file)
	}
	return p, nil
}

func (s Source) file(name string) (plan.File, error) {
	file := plan.File{Path: name, Size: plan.UnknownSize, Digest: s.Digests[name]}
	file.Request.Mends = map[fault.Kind]string{fault.Auth: "set DOWNLOADER_TOKEN, or DOWNLOADER_USER and DOWNLOADER_PASSWORD"}
	if strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://") {
		u, err := url.Parse(name)
		if err != nil || strings.HasSuffix(u.Path, "/") || u.Path == "" {
			return file, fault.Usagef("end it in a file's name", "the URL names no file: %s", web.Redacted(name))
		}
		file.Path = path.Base(u.Path)
		file.Request.URL = name
		file.Request.Auth = s.authFor(u)
		if file.Digest == "" {
			file.Digest = s.Digests[file.Path]
		}
		return file, nil
	}
	if s.Base == "" {
		return file, fault.Usagef("pass the URL of its folder as --registry, or its whole URL as --name", "no server for %q", name)
	}
	if err := plan.CheckPath(name); err != nil {
		return file, fault.Usagef("name it relative to --registry", "bad --name %q", name)
	}
	base, err := url.Parse(s.Base)
	if err != nil {
		return file, fault.Usagef("", "bad --registry %s", web.Redacted(s.Base))
	}
	file.Request.URL = base.JoinPath(escaped(name)...).String()
	file.Request.Auth = s.authFor(base)
	return file, nil
}

// escaped keeps "?", "#" and "%" of a file's name out of the URL's grammar.
func escaped(name string) []string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return parts
}

func (s Source) authFor(u *url.URL) web.Authorizer {
	base, err := url.Parse(s.Base)
	if s.Base == "" || err == nil && web.SameOrigin(base, u) {
		return s.Auth
	}
	return nil
}

// ParseList reads the lines of a list: "name", or "sha256  name" as sha256sum writes them ("*" for binary too).
// Empty lines and lines that start with "#" are skipped.
func ParseList(text string) (names []string, digests map[string]plan.Digest, err error) {
	digests = map[string]plan.Digest{}
	for number, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name := line
		if sum, rest, ok := strings.Cut(line, " "); ok {
			digest, err := plan.ParseDigest("sha256:" + sum)
			if err != nil {
				return nil, nil, fault.Usagef(`a line is "name" or "sha256  name"`, "line %d of --list is neither", number+1)
			}
			name = strings.TrimPrefix(strings.TrimLeft(rest, " "), "*")
			name = strings.TrimPrefix(name, "./")
			if old, twice := digests[name]; twice && old != digest {
				return nil, nil, fault.Usagef("keep one of them", "--list has two digests for %s", fmt.Sprintf("%q", name))
			}
			digests[name] = digest
		}
		names = append(names, name)
	}
	return names, digests, nil
}
