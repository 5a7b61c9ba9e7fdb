package images

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery bounds how often the file is read.
const lookEvery = time.Second

// File holds the rules of a file that somebody else replaces now and then, as the kubelet does with a ConfigMap's.
type File struct {
	path string
	log  *slog.Logger

	mu     sync.Mutex
	looked time.Time
	text   []byte
	rules  *Rules
}

// Open reads the file once. Where there is none there are no rules; later troubles leave the last good ones in place.
func Open(path string, log *slog.Logger) (*File, error) {
	file := &File{path: path, log: log, rules: &Rules{}}
	return file, file.reload()
}

// Rules are those of the moment.
func (f *File) Rules() *Rules {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) < lookEvery {
		return f.rules
	}
	if err := f.reload(); err != nil {
		f.log.Error("The rules for images can't be read; the last ones stay", "file", f.path, "error", err)
	}
	return f.rules
}

// reload compares bytes, not times: a ConfigMap's files are links that move, with times of their own.
func (f *File) reload() error {
	f.looked = time.Now()
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = nil, nil
	}
	if err != nil || bytes.Equal(text, f.text) {
		return err
	}
	rules, err := Parse(text)
	if err != nil {
		return err
	}
	f.text, f.rules = text, rules
	f.log.Info("The rules for images are read", "file", f.path, "mirrors", len(rules.Mirrors), "digests", len(rules.Digests))
	return nil
}
