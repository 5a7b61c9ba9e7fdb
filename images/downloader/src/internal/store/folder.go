// Package store is the folder downloads land in: confined to it (os.Root), locked, and changed only by rename.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
)

// Folder is an open output folder. Close gives the lock back.
type Folder struct {
	Path string
	root *os.Root
	lock *os.File
}

// Open uses the folder as it is, without a lock: for readers.
func Open(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, Failure(err, dir)
	}
	return &Folder{Path: dir, root: root}, nil
}

// Create makes the folder and the state folder in it where they are missing.
func Create(dir string) (*Folder, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, Failure(err, dir)
	}
	if err := os.MkdirAll(absolute, 0o777); err != nil {
		return nil, Failure(err, dir)
	}
	folder, err := Open(absolute)
	if err != nil {
		return nil, err
	}
	if err := folder.makeFolders(plan.StateFolder); err != nil {
		return nil, err
	}
	return folder, nil
}

// Close releases the lock, if held, and the folder.
func (f *Folder) Close() {
	if f.lock != nil {
		_ = f.lock.Close()
	}
	_ = f.root.Close()
}

// File opens a finished file for reading; fs.ErrNotExist where there is none.
func (f *Folder) File(name string) (*os.File, error) {
	if err := f.refuseLinks(name); err != nil {
		return nil, err
	}
	return f.root.Open(name)
}

// Stat gives a finished file's info; fs.ErrNotExist where there is none, or no regular file.
func (f *Folder) Stat(name string) (fs.FileInfo, error) {
	if err := f.refuseLinks(name); err != nil {
		return nil, err
	}
	info, err := f.root.Lstat(name)
	if err == nil && info.IsDir() {
		return nil, &fault.Error{Kind: fault.Disk, What: "a folder is in the way", Where: filepath.Join(f.Path, name), Mend: "remove it"}
	}
	return info, err
}

// refuseLinks stops at a symbolic link anywhere in the name: what is behind it is not ours to write.
func (f *Folder) refuseLinks(name string) error {
	for prefix := name; prefix != "."; prefix = path.Dir(prefix) {
		info, err := f.root.Lstat(prefix)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return &fault.Error{Kind: fault.Disk, What: "refused to follow a symbolic link", Where: filepath.Join(f.Path, prefix), Mend: "remove the link"}
		}
	}
	return nil
}

func (f *Folder) makeFolders(name string) error {
	if err := f.refuseLinks(name); err != nil {
		return err
	}
	if err := f.root.MkdirAll(name, 0o777); err != nil {
		return Failure(err, filepath.Join(f.Path, name))
	}
	return nil
}

func (f *Folder) syncFolder(name string) error {
	dir, err := f.root.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// Failure gives a file system error its mend.
func Failure(err error, where string) error {
	if _, expected := errors.AsType[*fault.Error](err); err == nil || expected {
		return err
	}
	return &fault.Error{Kind: fault.Disk, What: reason(err), Where: where, Mend: mend(err), Cause: err}
}

func reason(err error) string {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Sprintf("cannot %s: %v", at.Op, at.Err)
	}
	return err.Error()
}
