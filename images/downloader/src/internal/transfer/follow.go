package transfer

import (
	"io"

	"waybill/downloader/internal/plan"
)

const aborted = -1 // a generation that tells the follower to give up

// follow hashes the bytes from the front as they arrive, from the page cache, so that a large file needs no
// second reading at its end. After a rewind it starts over.
func (d *download) follow() {
	defer close(d.hashed)
	buffer := make([]byte, 1<<20)
	generation, position := 0, int64(0)
	d.sums = newSums(d.file.Digest, d.file.Size)
	for {
		front, now, ended := d.await(generation, position)
		switch {
		case now == aborted:
			return
		case now != generation:
			generation, position = now, 0
			d.sums = newSums(d.file.Digest, d.file.Size)
		case front > position:
			n, err := d.part.ReadAt(buffer[:min(int64(len(buffer)), front-position)], position)
			if err != nil && err != io.EOF || n == 0 {
				return // the digest will not match, which is what a disk that can't be read deserves
			}
			_, _ = d.sums.Write(buffer[:n])
			position += int64(n)
		case ended:
			return
		}
	}
}

// await blocks until there is more to hash, a rewind, or the end.
func (d *download) await(generation int, position int64) (front int64, now int, ended bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.front() <= position && d.generation == generation && !d.ended {
		d.changed.Wait()
	}
	return d.front(), d.generation, d.ended
}

// front is the length of the unbroken run of bytes from 0. mu is held.
func (d *download) front() int64 {
	var front int64
	for _, p := range d.record.Pieces {
		if p.Start != front {
			break
		}
		front += p.Got
		if p.Start+p.Got != p.End {
			break
		}
	}
	return front
}

// firstOpen is the index of the first piece that is neither complete nor taken, or -1. mu is held.
func (d *download) firstOpen() int {
	for i, p := range d.record.Pieces {
		if !d.taken[i] && (p.End == plan.UnknownSize || p.Start+p.Got < p.End) {
			return i
		}
	}
	return -1
}
