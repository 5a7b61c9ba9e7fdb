// Package plan holds what a source promises before a byte is fetched: which files, from where,
// how large, with which digest, and under which names in the folder.
package plan

import (
	"context"
	"fmt"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/web"
)

// UnknownSize stands for a size that only the server's answer will tell.
const UnknownSize int64 = -1

// File is one file to fetch.
type File struct {
	Path    string // in the folder, with "/", checked by CheckPath
	Request web.Request
	Size    int64  // bytes, or UnknownSize
	Digest  Digest // "" where the source publishes none
}

// Plan is all that one run fetches, at one revision.
type Plan struct {
	Revision string // commit or digest that the name was resolved to; "" where there is no such thing
	Files    []File
}

// Source turns what the user named into a plan. Errors are *fault.Error.
type Source interface {
	Plan(ctx context.Context) (Plan, error)
}

// Bytes is the sum of the sizes that are known.
func (p Plan) Bytes() int64 {
	var sum int64
	for _, f := range p.Files {
		sum += max(f.Size, 0)
	}
	return sum
}

// Check refuses names that leave the folder and two files of one name that differ; equal twins become one.
func (p Plan) Check() (Plan, error) {
	seen := map[string]File{}
	checked := Plan{Revision: p.Revision}
	for _, f := range p.Files {
		if err := CheckPath(f.Path); err != nil {
			return Plan{}, err
		}
		if twin, ok := seen[f.Path]; ok {
			if twin.Digest != f.Digest || twin.Request.URL != f.Request.URL && f.Digest == "" {
				return Plan{}, &fault.Error{Kind: fault.Integrity, What: fmt.Sprintf("two different files are named %q", f.Path)}
			}
			continue
		}
		seen[f.Path] = f
		checked.Files = append(checked.Files, f)
	}
	return checked, nil
}
