package store

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// OpenPart opens the half-done file of a name, making it where it is missing.
func (f *Folder) OpenPart(name string) (*os.File, error) {
	file, err := f.root.OpenFile(stateName(name, ".part"), os.O_CREATE|os.O_RDWR, 0o666)
	return file, Failure(err, filepath.Join(f.Path, name))
}

// Drop forgets a half-done file and its record.
func (f *Folder) Drop(name string) {
	_ = f.root.Remove(stateName(name, ".part"))
	_ = f.root.Remove(stateName(name, ".json"))
}

// Finish moves a synced part to its name, atomically and for good, and gives the finished file's info.
func (f *Folder) Finish(name string) (fs.FileInfo, error) {
	dir := path.Dir(name)
	if err := f.makeFolders(dir); err != nil {
		return nil, err
	}
	if _, err := f.Stat(name); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	where := filepath.Join(f.Path, name)
	if err := f.root.Rename(stateName(name, ".part"), name); err != nil {
		return nil, Failure(err, where)
	}
	for ; ; dir = path.Dir(dir) {
		if err := f.syncFolder(dir); err != nil {
			return nil, Failure(err, where)
		}
		if dir == "." {
			break
		}
	}
	info, err := f.root.Lstat(name)
	return info, Failure(err, where)
}
