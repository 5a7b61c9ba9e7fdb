// Package transfer fetches the files of a plan into a folder: a number of connections at a time, shared by
// small files and by the ranges of large ones; resumed, verified, and put in place by rename.
package transfer

import (
	"context"
	"sync"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/progress"
	"waybill/downloader/internal/store"
	"waybill/downloader/internal/web"
)

// Transfer holds what all files of a run share.
type Transfer struct {
	Client      *web.Client
	Folder      *store.Folder
	Meter       *progress.Meter
	Connections int   // at most so many requests at a time
	ChunkSize   int64 // bytes of one range request; files up to this size are not split
	Quick       bool  // believe size and time of finished files instead of hashing them again
	slots       chan struct{}
}

// Run fetches every file and gives their final records in the plan's order. The first failure stops the rest,
// which keep what they have for the next run.
func (t *Transfer) Run(ctx context.Context, files []plan.File) ([]store.CompleteFile, error) {
	t.slots = make(chan struct{}, t.Connections)
	done := make([]store.CompleteFile, len(files))
	crew := newCrew(ctx)
	turns := make(chan int)
	for range min(t.Connections, len(files)) {
		crew.Go(func(ctx context.Context) error {
			for i := range turns {
				record, err := t.file(ctx, files[i])
				if err != nil {
					return err
				}
				done[i] = store.CompleteFile{Path: record.Path, Size: record.Size, SHA256: record.SHA256}
			}
			return nil
		})
	}
	for i := range files {
		select {
		case turns <- i:
		case <-crew.ctx.Done():
		}
	}
	close(turns)
	return done, crew.Wait()
}

// connection waits for a free slot; the caller gives it back.
func (t *Transfer) connection(ctx context.Context) (release func(), err error) {
	select {
	case t.slots <- struct{}{}:
		return func() { <-t.slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// crew is a set of goroutines of which the first failure stops all.
type crew struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	parent context.Context
	wait   sync.WaitGroup
	once   sync.Once
	err    error
}

func newCrew(parent context.Context) *crew {
	ctx, cancel := context.WithCancelCause(parent)
	return &crew{ctx: ctx, cancel: cancel, parent: parent}
}

// Go starts one more; it may be called by a member.
func (c *crew) Go(work func(ctx context.Context) error) {
	c.wait.Go(func() {
		if err := work(c.ctx); err != nil {
			c.once.Do(func() { c.err = err; c.cancel(err) })
		}
	})
}

// Wait gives the first failure, or why the parent was stopped.
func (c *crew) Wait() error {
	c.wait.Wait()
	c.cancel(nil)
	if fault.Stopped(c.parent) {
		return context.Cause(c.parent)
	}
	return c.err
}
