package huggingface

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/web"
)

// entry is one line of GET /api/models/{id}/tree/{commit}?recursive=true.
type entry struct {
	Type string
	Path string
	Size int64
	Oid  string // of the blob in Git, which for a file in LFS is only a pointer
	LFS  *struct {
		Oid  string // sha256
		Size int64
	}
}

func (s Source) list(ctx context.Context, api *url.URL, commit string) ([]plan.File, error) {
	page := api.JoinPath("tree", commit)
	page.RawQuery = "recursive=true"
	var files []plan.File
	for range mostPages {
		var entries []entry
		header, err := s.Client.FetchJSON(ctx, s.request(page), longestDocument, &entries)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Type != "file" {
				continue
			}
			file, err := e.file()
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		}
		if page, err = nextPage(page, header); err != nil || page == nil {
			return files, err
		}
	}
	return nil, &fault.Error{Kind: fault.Integrity, What: "the listing never ends", Where: web.Redacted(api.String())}
}

func (e entry) file() (plan.File, error) {
	text, size := "gitblob:"+e.Oid, e.Size
	if e.LFS != nil {
		text, size = "sha256:"+e.LFS.Oid, e.LFS.Size
	}
	digest, err := plan.ParseDigest(text)
	if err == nil && size < 0 {
		err = &fault.Error{Kind: fault.Integrity, What: fmt.Sprintf("a size below zero for %q", e.Path)}
	}
	return plan.File{Path: e.Path, Size: size, Digest: digest}, err
}

var nextLink = regexp.MustCompile(`<([^>]+)>\s*;[^,]*\brel="?next"?`)

// nextPage follows "Link: <…>; rel=next" (RFC 8288). Only its query is used: a mirror may pass on the links of
// the hub behind it, and the token must not follow them there.
func nextPage(page *url.URL, header http.Header) (*url.URL, error) {
	link := nextLink.FindStringSubmatch(header.Get("Link"))
	if link == nil {
		return nil, nil
	}
	target, err := page.Parse(link[1])
	if err != nil {
		return nil, &fault.Error{Kind: fault.Integrity, What: "the listing's next page has no URL", Where: web.Redacted(page.String())}
	}
	next := *page
	next.RawQuery = target.RawQuery
	return &next, nil
}
