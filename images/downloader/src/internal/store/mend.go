package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"waybill/downloader/internal/fault"
)

// mend says what helps against a file system error.
func mend(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "free some space or give it a larger volume, then run again to resume"
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("let user %d write there (in Kubernetes: securityContext.fsGroup)", os.Getuid())
	case errors.Is(err, syscall.EROFS):
		return "mount a writable volume there"
	}
	return ""
}

// CheckSpace fails before the first byte when the volume has less room than the download needs.
func (f *Folder) CheckSpace(needed int64) error {
	var volume syscall.Statfs_t
	if syscall.Statfs(f.Path, &volume) != nil || volume.Blocks == 0 {
		return nil // a file system that doesn't say
	}
	free := int64(volume.Bavail) * int64(volume.Bsize)
	if needed <= free {
		return nil
	}
	return &fault.Error{Kind: fault.Disk, What: fmt.Sprintf("no space left: %s needed, %s free", Size(needed), Size(free)),
		Where: f.Path, Mend: mend(syscall.ENOSPC)}
}

// Size is a number of bytes in decimal units, as disks are sold.
func Size(bytes int64) string {
	value, unit := float64(bytes), 0
	for value >= 999.95 && unit < 4 {
		value, unit = value/1000, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, []string{"", "kB", "MB", "GB", "TB"}[unit])
}
