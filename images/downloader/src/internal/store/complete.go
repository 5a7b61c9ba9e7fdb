package store

import (
	"encoding/json"
	"path/filepath"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
)

// Complete is the record of a whole run: written last, removed first, so that its presence means "all there".
type Complete struct {
	Type     string         `json:"type"`
	Name     []string       `json:"name"`
	Revision string         `json:"revision,omitempty"`
	Files    []CompleteFile `json:"files"`
}

// CompleteFile is one file of a finished run.
type CompleteFile struct {
	Path   string      `json:"path"`
	Size   int64       `json:"size"`
	SHA256 plan.Digest `json:"sha256"`
}

const completeName = plan.StateFolder + "/complete.json"

// Begin removes the record of an earlier run.
func (f *Folder) Begin() { _ = f.root.Remove(completeName) }

// End writes the record of this run.
func (f *Folder) End(complete Complete) error { return f.writeJSON(completeName, complete) }

// Complete reads the record of a finished run; fault.NotFound where there is none.
func (f *Folder) Complete() (Complete, error) {
	var complete Complete
	bytes, err := f.root.ReadFile(completeName)
	if err == nil {
		err = json.Unmarshal(bytes, &complete)
	}
	if err != nil {
		return complete, &fault.Error{Kind: fault.NotFound, What: "no finished download", Where: filepath.Clean(f.Path), Mend: "run download first", Cause: err}
	}
	return complete, nil
}
