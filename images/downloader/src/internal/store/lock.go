package store

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
)

const lockPoll = 100 * time.Millisecond // flock can't be waited for together with a context

// Lock keeps other downloaders out of the folder until Close, or the process's end; it waits at most patience.
// Where the file system has no locks it goes on without, and says so by note.
func (f *Folder) Lock(ctx context.Context, patience time.Duration, note func(string)) error {
	file, err := f.root.OpenFile(plan.StateFolder+"/lock", os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return Failure(err, f.Path)
	}
	for until, waited := time.Now().Add(patience), false; ; {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			f.lock = file
			return nil
		case errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.ENOLCK):
			note("this file system has no locks: see to it that no other downloader uses " + f.Path)
			f.lock = file
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			_ = file.Close()
			return Failure(err, f.Path)
		case time.Now().After(until):
			_ = file.Close()
			return &fault.Error{Kind: fault.Busy, What: "another downloader is at work", Where: f.Path, Mend: "wait for it with --lock-wait 30m"}
		}
		if !waited {
			waited = true
			note("waiting for another downloader in " + f.Path)
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			_ = file.Close()
			return context.Cause(ctx)
		}
	}
}
