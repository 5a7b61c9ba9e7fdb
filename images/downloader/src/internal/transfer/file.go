package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/store"
)

const maxRestarts = 3

// restart asks for the file from its first byte again.
type restart struct {
	why    string
	wrong  bool // the bytes were wrong, not merely new: twice is an integrity fault
	manner manner
}

func (r *restart) Error() string { return r.why }

// manner is how careful to be with this server, learned from what went wrong.
type manner struct {
	whole bool // its ranges can't be trusted: one request for all of it
	blind bool // its validators can't be trusted: rely on the digest
}

// file makes sure that one file is in place and gives its record.
func (t *Transfer) file(ctx context.Context, file plan.File) (store.Record, error) {
	record, present, err := t.present(ctx, file)
	if err != nil {
		return record, err
	}
	if present {
		t.Meter.Present(file.Path, record.Size, file.Size)
		return record, nil
	}
	var how manner
	for restarts, wrongs := 0, 0; ; restarts++ {
		record, err := t.attempt(ctx, file, how)
		again, ok := errors.AsType[*restart](err)
		if !ok {
			return record, err
		}
		if again.wrong {
			wrongs++
		}
		if wrongs > 1 || restarts == maxRestarts {
			return record, &fault.Error{Kind: fault.Integrity, What: fmt.Sprintf("%s: %s, after %d tries", file.Path, again.why, restarts+1),
				Where: redacted(file), Mend: "nothing was put in place; ask whoever runs the server"}
		}
		how.whole = how.whole || again.manner.whole
		how.blind = how.blind || again.manner.blind && file.Digest != ""
		t.Meter.Note(fmt.Sprintf("%s: %s; starting it over", file.Path, again.why))
	}
}

// attempt is one download from wherever the last one stopped, to the finished file.
func (t *Transfer) attempt(ctx context.Context, file plan.File, how manner) (store.Record, error) {
	d, err := t.open(file, how)
	if err != nil {
		return store.Record{}, err
	}
	defer d.part.Close()
	err = d.run(ctx)
	if err == nil {
		err = d.verify()
	}
	if err != nil {
		t.keep(d, err)
		return store.Record{}, err
	}
	return d.finish()
}

// keep saves what a later run can resume, or drops what it can't.
func (t *Transfer) keep(d *download, err error) {
	_, again := errors.AsType[*restart](err)
	if again || !d.resumable() {
		t.Meter.Forget(d.record.Got())
		if d.file.Size == plan.UnknownSize {
			t.Meter.Expect(-max(d.record.Size, 0))
		}
		t.Folder.Drop(d.file.Path)
		return
	}
	expected, _ := errors.AsType[*fault.Error](err)
	full := expected != nil && expected.Kind == fault.Disk // one line about the disk is enough
	if saved := d.save(); saved != nil && !full {
		t.Meter.Note(fmt.Sprintf("%s: could not keep the state: %v", d.file.Path, saved))
	}
}

// identity is what the bytes of a file belong to. A query is left out: signatures in it change with every run.
func identity(file plan.File) string {
	if file.Digest != "" {
		return string(file.Digest)
	}
	address := file.Request.URL
	if u, err := url.Parse(address); err == nil {
		u.RawQuery, u.User = "", nil
		address = u.String()
	}
	sum := sha256.Sum256([]byte(address))
	return "url:" + hex.EncodeToString(sum[:])
}
