package transfer

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/store"
	"waybill/downloader/internal/web"
)

const saveEvery = 5 * time.Second // how much of a download a killed process may lose

// download is one attempt at one file. mu guards record, spread, taken, generation, ended and best.
type download struct {
	*Transfer
	file   plan.File
	how    manner
	part   *os.File
	sums   *sums
	hashed chan struct{} // closed when the follower has ended

	mu         sync.Mutex
	changed    *sync.Cond
	record     store.Record
	opened     int          // the piece the opener took, or -1
	taken      map[int]bool // pieces that a worker has
	spread     bool         // pieces were handed to workers: going back to one stream needs a restart
	generation int          // counts rewinds
	ended      bool
	best       int64 // most bytes ever on disk: going over old ground is no progress
}

// open picks up an earlier part where its record proves what it is, else starts empty.
func (t *Transfer) open(file plan.File, how manner) (*download, error) {
	part, err := t.Folder.OpenPart(file.Path)
	if err != nil {
		return nil, err
	}
	d := &download{Transfer: t, file: file, how: how, part: part, opened: -1, taken: map[int]bool{}, hashed: make(chan struct{})}
	d.changed = sync.NewCond(&d.mu)
	d.record = t.Folder.Record(file.Path)
	if !d.canResume() {
		d.record = store.Record{Path: file.Path, Identity: identity(file), Size: file.Size, Pieces: d.firstPieces(file.Size)}
		if err := part.Truncate(0); err != nil {
			return nil, store.Failure(err, t.Folder.Path)
		}
	}
	d.best = d.record.Got()
	t.Meter.Resume(d.best, d.record.Size, file.Size)
	return d, nil
}

func (d *download) canResume() bool {
	r := &d.record
	info, err := d.part.Stat()
	if err != nil || r.Done || r.Identity != identity(d.file) || d.how.whole || !d.resumable() {
		return false
	}
	if d.file.Size != plan.UnknownSize && d.file.Size != r.Size {
		return false
	}
	return !slices.ContainsFunc(r.Pieces, func(p store.Piece) bool { return p.Got < 0 || p.Got > 0 && p.Start+p.Got > info.Size() })
}

// resumable tells whether a later request can be sure to continue the same bytes.
func (d *download) resumable() bool {
	return d.record.Got() > 0 && d.record.Size != plan.UnknownSize && (d.file.Digest != "" || d.record.Validator() != "")
}

// firstPieces is the first request: all of it, or the first chunk, whose answer tells the rest.
func (d *download) firstPieces(size int64) []store.Piece {
	if d.how.whole {
		return []store.Piece{{End: size}}
	}
	if size == plan.UnknownSize {
		return []store.Piece{{End: d.ChunkSize}}
	}
	return d.cut(0, size)
}

// cut splits [from, size) into chunks; an empty file is one empty piece.
func (d *download) cut(from, size int64) []store.Piece {
	pieces := []store.Piece{}
	for start := from; start < size; start += d.ChunkSize {
		pieces = append(pieces, store.Piece{Start: start, End: min(start+d.ChunkSize, size)})
	}
	if size == 0 {
		pieces = append(pieces, store.Piece{})
	}
	return pieces
}

// run brings in all pieces, while one goroutine hashes what is there and one saves how far we are.
func (d *download) run(ctx context.Context) error {
	go d.follow()
	saved := d.saveNowAndThen()
	crew := newCrew(ctx)
	if !d.allThere() {
		crew.Go(func(ctx context.Context) error { return d.bring(ctx, crew, opener) })
	}
	err := crew.Wait()
	saved()
	d.mu.Lock()
	d.ended = true
	if err != nil {
		d.generation = aborted
	}
	d.mu.Unlock()
	d.changed.Broadcast()
	<-d.hashed
	return err
}

func (d *download) allThere() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.firstOpen() < 0
}

// verify compares what was hashed on the way with what was promised.
func (d *download) verify() error {
	if got := d.sums.digest(); d.file.Digest != "" && got != d.file.Digest {
		return &restart{why: fmt.Sprintf("wrong bytes: expected %s, got %s", d.file.Digest, got), wrong: true, manner: manner{whole: true}}
	}
	return nil
}

// finish syncs, renames and records.
func (d *download) finish() (store.Record, error) {
	r := d.record
	if err := d.part.Truncate(r.Size); err != nil {
		return r, store.Failure(err, d.Folder.Path)
	}
	if err := d.part.Sync(); err != nil {
		return r, store.Failure(err, d.Folder.Path)
	}
	info, err := d.Folder.Finish(d.file.Path)
	if err != nil {
		return r, err
	}
	r.Pieces, r.Done, r.SHA256, r.Time = nil, true, d.sums.sha256(), info.ModTime()
	if err := d.Folder.Save(r); err != nil {
		return r, err
	}
	d.Meter.Finished(d.file.Path, r.Size)
	return r, nil
}

// save writes down only what is on disk for sure: the data is synced before the record that counts it.
func (d *download) save() error {
	d.mu.Lock()
	record := d.record
	record.Pieces = slices.Clone(record.Pieces)
	resumable := d.resumable()
	d.mu.Unlock()
	if !resumable {
		return nil
	}
	if err := d.part.Sync(); err != nil {
		return store.Failure(err, d.Folder.Path)
	}
	return d.Folder.Save(record)
}

// saveNowAndThen runs until the returned function is called.
func (d *download) saveNowAndThen() (stop func()) {
	quit, quitted := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(quitted)
		tick := time.NewTicker(saveEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := d.save(); err != nil {
					d.Meter.Note(fmt.Sprintf("%s: could not keep the state: %v", d.file.Path, err))
				}
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-quitted }
}

func redacted(file plan.File) string { return web.Redacted(file.Request.URL) }
