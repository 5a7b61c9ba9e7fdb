package transfer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/store"
	"waybill/downloader/internal/web"
)

// opener stands for "whichever piece is first": the request whose answer tells size, validators and ranges.
const opener = -1

const (
	bufferSize = 256 << 10
	leastWrite = 64 << 10 // TLS hands out 16 KiB at a time: gather some before each write
)

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// work brings open pieces until none is left.
func (d *download) work(ctx context.Context) error {
	for {
		d.mu.Lock()
		index := d.firstOpen()
		d.taken[index] = index >= 0
		d.mu.Unlock()
		if index < 0 {
			return nil
		}
		if err := d.bring(ctx, nil, index); err != nil {
			return err
		}
	}
}

// bring completes one piece, with retries. The opener brings more workers when it is under way, then helps them.
func (d *download) bring(ctx context.Context, crew *crew, index int) error {
	err := d.Client.Retry(ctx, d.file.Path, func() (bool, error) {
		release, err := d.connection(ctx)
		if err != nil {
			return false, err
		}
		defer release()
		err = d.try(ctx, crew, index)
		return d.improved(), err
	})
	if err != nil || index != opener {
		return err
	}
	return d.work(ctx)
}

func (d *download) improved() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	got := d.record.Got()
	better := got > d.best
	d.best = max(d.best, got)
	return better
}

// try sends one request for what is missing of a piece and writes what comes.
func (d *download) try(ctx context.Context, crew *crew, index int) error {
	at, piece := d.claim(index)
	answer, err := d.Client.Send(ctx, d.request(piece))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusPartialContent:
		err = d.acceptRange(answer, at, piece)
	case http.StatusOK:
		at, err = d.acceptWhole(answer)
	case http.StatusRequestedRangeNotSatisfiable:
		if d.how.whole {
			return web.Refusal(answer, d.file.Request)
		}
		return &restart{why: "the server refuses the range", manner: manner{whole: true}}
	default:
		return web.Refusal(answer, d.file.Request)
	}
	if err != nil {
		return err
	}
	if index == opener {
		d.share(crew)
	}
	return d.copy(answer.Body, at)
}

// claim gives the piece to work on. The opener stays with the piece it took until that is done.
func (d *download) claim(index int) (int, store.Piece) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if index == opener {
		index = d.opened
		if index < 0 {
			index = max(d.firstOpen(), 0)
			d.opened = index
			d.taken[index] = true
		}
	}
	return index, d.record.Pieces[index]
}

func (d *download) request(piece store.Piece) web.Request {
	request := d.file.Request
	request.Header = request.Header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	if d.how.whole || piece.End == plan.UnknownSize {
		return request
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", piece.Start+piece.Got, piece.End-1))
	d.mu.Lock()
	validator := d.record.Validator()
	d.mu.Unlock()
	if validator != "" && !d.how.blind {
		request.Header.Set("If-Range", validator)
	}
	return request
}

// share cuts the rest of the file into pieces, once the size is known, and starts workers for them.
func (d *download) share(crew *crew) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.spread || d.how.whole {
		return
	}
	d.spread = true
	open := 0
	for i, p := range d.record.Pieces {
		if !d.taken[i] && p.Start+p.Got < p.End {
			open++
		}
	}
	for range min(open, d.Connections-1) {
		crew.Go(d.work)
	}
}

// copy writes a body into its piece.
func (d *download) copy(body io.Reader, at int) error {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	d.mu.Lock()
	piece := d.record.Pieces[at]
	d.mu.Unlock()
	for {
		n, err := fill(body, buffer[:])
		if piece.End != plan.UnknownSize && piece.Start+piece.Got+int64(n) > piece.End {
			return &restart{why: "the server sent more than it announced", wrong: true, manner: manner{whole: true}}
		}
		if _, failed := d.part.WriteAt(buffer[:n], piece.Start+piece.Got); failed != nil {
			return store.Failure(failed, d.Folder.Path)
		}
		piece.Got += int64(n)
		if err == io.EOF && piece.End == plan.UnknownSize {
			piece.End = piece.Start + piece.Got
			d.Meter.Expect(piece.End)
		}
		d.arrived(at, piece, n)
		switch {
		case piece.Start+piece.Got == piece.End:
			return nil
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
}

func (d *download) arrived(at int, piece store.Piece, n int) {
	d.mu.Lock()
	d.record.Pieces[at] = piece
	if len(d.record.Pieces) == 1 {
		d.record.Size = piece.End
	}
	d.mu.Unlock()
	d.changed.Broadcast()
	d.Meter.Add(int64(n))
}

func fill(body io.Reader, buffer []byte) (n int, err error) {
	for n < leastWrite && err == nil {
		var m int
		m, err = body.Read(buffer[n:])
		n += m
	}
	return n, err
}
