package server

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
)

// busy counts what its handler is at work on. A handler of an upgraded connection returns when that ends.
type busy struct {
	handler http.Handler
	running sync.WaitGroup
	number  atomic.Int64
}

func newBusy(handler http.Handler) *busy { return &busy{handler: handler} }

func (b *busy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.running.Add(1)
	b.number.Add(1)
	defer b.running.Done()
	defer b.number.Add(-1)
	b.handler.ServeHTTP(w, r)
}

func (b *busy) count() int64 { return b.number.Load() }

// wait returns when nothing is under way, with an error when ctx ends first. No request may start meanwhile.
func (b *busy) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		b.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
