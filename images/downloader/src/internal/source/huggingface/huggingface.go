// Package huggingface is --type huggingface: the files of a model, dataset or space at one commit, by the hub's
// HTTP API (https://huggingface.co/docs/hub/api), which mirrors and in-house hubs speak as well.
package huggingface

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/web"
)

// DefaultRegistry is the public hub.
const DefaultRegistry = "https://huggingface.co"

const (
	longestDocument = 32 << 20 // bytes of one API answer
	mostPages       = 10_000   // of a listing, against a server that links in a circle
)

// Source names a repository on a hub. Name is "org/model", "datasets/org/name" or "spaces/org/name".
type Source struct {
	Client   *web.Client
	Registry string
	Name     string
	Revision string // branch, tag or commit
	Token    string
}

var nameShape = regexp.MustCompile(`^(?:(datasets|spaces|models)/)?([\w.-]+(?:/[\w.-]+)?)$`)

// Plan resolves the revision to a commit and lists its files. Files in LFS have a sha256, others Git's own hash.
func (s Source) Plan(ctx context.Context) (plan.Plan, error) {
	parts := nameShape.FindStringSubmatch(s.Name)
	if parts == nil || strings.Contains(s.Name, "..") {
		return plan.Plan{}, fault.Usagef("it is org/model, datasets/org/name or spaces/org/name", "bad --name %q", s.Name)
	}
	base, err := url.Parse(s.Registry)
	if err != nil || base.Host == "" {
		return plan.Plan{}, fault.Usagef("give a URL such as "+DefaultRegistry, "bad --registry %s", web.Redacted(s.Registry))
	}
	kind, id := parts[1], parts[2]
	if kind == "" {
		kind = "models"
	}
	api := base.JoinPath("api", kind, id)
	var revision struct{ Sha string }
	if _, err := s.Client.FetchJSON(ctx, s.request(api.JoinPath("revision", url.PathEscape(s.Revision))), longestDocument, &revision); err != nil {
		return plan.Plan{}, err
	}
	if revision.Sha == "" {
		return plan.Plan{}, &fault.Error{Kind: fault.Integrity, What: "the hub named no commit for " + s.Revision, Where: web.Redacted(api.String())}
	}
	files, err := s.list(ctx, api, revision.Sha)
	if err != nil {
		return plan.Plan{}, err
	}
	content := base.JoinPath(id)
	if kind != "models" {
		content = base.JoinPath(kind, id)
	}
	for i := range files {
		files[i].Request = s.request(content.JoinPath(append([]string{"resolve", url.PathEscape(revision.Sha)}, escaped(files[i].Path)...)...))
	}
	return plan.Plan{Revision: revision.Sha, Files: files}, nil
}

func (s Source) request(u *url.URL) web.Request {
	mends := map[fault.Kind]string{
		fault.NotFound: "check --name and --revision; a private model needs HF_TOKEN",
		fault.Auth:     "set HF_TOKEN to a token that may read it, and accept the model's terms on its page if it has any",
	}
	return web.Request{URL: u.String(), Auth: web.Bearer(s.Token), Mends: mends, Header: http.Header{"Accept": {"*/*"}}}
}

func escaped(name string) []string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return parts
}
