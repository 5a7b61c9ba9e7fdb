package transfer

import (
	"fmt"
	"net/http"

	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/store"
)

// acceptRange checks that a 206 continues the very bytes we have, and learns size and validators from the first.
func (d *download) acceptRange(answer *http.Response, at int, piece store.Piece) error {
	var first, last, total int64
	_, err := fmt.Sscanf(answer.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &total)
	if err != nil || first != piece.Start+piece.Got || last < first || last >= total {
		return &restart{why: "the server's ranges make no sense", manner: manner{whole: true}}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.sameFile(answer.Header, total); err != nil {
		return err
	}
	d.learn(answer.Header)
	if d.record.Size == plan.UnknownSize {
		d.record.Size = total
		d.record.Pieces[at].End = min(piece.End, total)
		d.record.Pieces = append(d.record.Pieces, d.cut(d.record.Pieces[at].End, total)...)
		d.Meter.Expect(total)
	}
	return nil
}

// acceptWhole takes a 200: all bytes from 0, because the server knows no ranges (or, by If-Range, has a new file).
// It gives the index of the one piece that is left.
func (d *download) acceptWhole(answer *http.Response) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.sameFile(answer.Header, answer.ContentLength); err != nil {
		return 0, err
	}
	if d.spread {
		return 0, &restart{why: "the server stopped honouring ranges", manner: manner{whole: true}}
	}
	d.learn(answer.Header)
	if answer.ContentLength != plan.UnknownSize && d.record.Size == plan.UnknownSize {
		d.record.Size = answer.ContentLength
		d.Meter.Expect(answer.ContentLength)
	}
	d.Meter.Forget(d.record.Got())
	d.how.whole = true
	d.generation++
	d.opened = 0
	d.taken = map[int]bool{0: true}
	d.record.Pieces = []store.Piece{{End: d.record.Size}}
	return 0, nil
}

// sameFile compares an answer with what the plan and earlier answers said. mu is held.
func (d *download) sameFile(header http.Header, total int64) error {
	etag, modified := header.Get("ETag"), header.Get("Last-Modified")
	if !d.how.blind && (differ(d.record.ETag, etag) || d.record.ETag == "" && differ(d.record.Modified, modified)) {
		return &restart{why: "the file changed on the server", manner: manner{blind: true}}
	}
	if total != plan.UnknownSize && d.record.Size != plan.UnknownSize && total != d.record.Size {
		return &restart{why: fmt.Sprintf("wrong size: expected %d bytes, the server has %d", d.record.Size, total), wrong: d.file.Size != plan.UnknownSize}
	}
	return nil
}

func differ(old, new string) bool { return old != "" && new != "" && old != new }

// learn keeps the first validators seen. mu is held.
func (d *download) learn(header http.Header) {
	if d.record.ETag == "" && d.record.Modified == "" {
		d.record.ETag, d.record.Modified = header.Get("ETag"), header.Get("Last-Modified")
	}
}
