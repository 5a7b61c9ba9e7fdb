package web

import (
	"context"
	"io"
	"time"
)

// watchedBody ends a read that has brought nothing for too long; a slow but living download goes on.
type watchedBody struct {
	body    io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	watch   *time.Timer
	silence time.Duration
}

func (b *watchedBody) Read(buffer []byte) (int, error) {
	b.watch.Reset(b.silence)
	n, err := b.body.Read(buffer)
	b.watch.Stop() // the time the caller takes to write is not the server's silence
	if err != nil && err != io.EOF {
		err = causeOf(b.ctx, err)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.watch.Stop()
	b.cancel(nil)
	return b.body.Close()
}
