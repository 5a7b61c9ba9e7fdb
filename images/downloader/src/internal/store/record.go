package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"time"

	"waybill/downloader/internal/plan"
)

// Record is what the state folder knows of one file: how far it is, or how it was when it was done.
type Record struct {
	Path     string  `json:"path"`
	Identity string  `json:"identity"` // the digest promised, else a hash of the URL: what the bytes belong to
	Size     int64   `json:"size"`     // plan.UnknownSize until the server says
	ETag     string  `json:"etag,omitempty"`
	Modified string  `json:"lastModified,omitempty"`
	Pieces   []Piece `json:"pieces,omitempty"`

	Done   bool        `json:"done"`
	SHA256 plan.Digest `json:"sha256,omitempty"`
	Time   time.Time   `json:"time,omitzero"` // of the finished file, to notice a change cheaply
}

// Piece is the range [Start, End) of a file, of which the first Got bytes are on disk. End is UnknownSize
// when only the end of the body will tell.
type Piece struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	Got   int64 `json:"got"`
}

// Validator is what If-Range may carry (RFC 9110, 13.1.5): a strong ETag, else a date, else "".
func (r *Record) Validator() string {
	if r.ETag != "" && r.ETag[0] == '"' {
		return r.ETag
	}
	return r.Modified
}

// Got is the number of bytes on disk.
func (r *Record) Got() int64 {
	var sum int64
	for _, p := range r.Pieces {
		sum += p.Got
	}
	return sum
}

// stateName is flat and bounded, whatever the path: two paths never share one.
func stateName(name, suffix string) string {
	sum := sha256.Sum256([]byte(name))
	base := path.Base(name)
	return plan.StateFolder + "/" + base[:min(len(base), 100)] + "-" + hex.EncodeToString(sum[:6]) + suffix
}

// Record reads a file's record; the zero Record where there is none or it can't be read.
func (f *Folder) Record(name string) Record {
	var record Record
	bytes, err := f.root.ReadFile(stateName(name, ".json"))
	if err != nil || json.Unmarshal(bytes, &record) != nil || record.Path != name {
		return Record{}
	}
	return record
}

// Save writes a record, whole or not at all.
func (f *Folder) Save(record Record) error {
	return f.writeJSON(stateName(record.Path, ".json"), record)
}

func (f *Folder) writeJSON(name string, value any) error {
	bytes, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return Failure(f.replace(name, append(bytes, '\n')), f.Path)
}

func (f *Folder) replace(name string, bytes []byte) error {
	temporary := name + ".tmp"
	file, err := f.root.Create(temporary)
	if err != nil {
		return err
	}
	_, err = file.Write(bytes)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = f.root.Rename(temporary, name)
	}
	if err != nil {
		_ = f.root.Remove(temporary)
		return err
	}
	return f.syncFolder(plan.StateFolder)
}
