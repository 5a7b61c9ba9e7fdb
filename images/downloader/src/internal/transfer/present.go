package transfer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"

	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/store"
	"waybill/downloader/internal/web"
)

// present tells whether the file is there already, whole and current. With a digest its bytes decide; without,
// its bytes against the record of the download, and then the server (304).
func (t *Transfer) present(ctx context.Context, file plan.File) (store.Record, bool, error) {
	info, err := t.Folder.Stat(file.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return store.Record{}, false, nil
	}
	if err != nil {
		return store.Record{}, false, store.Failure(err, t.Folder.Path)
	}
	record := t.Folder.Record(file.Path)
	known := record.Done && record.Identity == identity(file) && record.Size == info.Size()
	if file.Size != plan.UnknownSize && file.Size != info.Size() || file.Digest == "" && !known {
		return record, false, nil
	}
	if !(t.Quick && known && record.Time.Equal(info.ModTime())) {
		sha256, digest, err := t.hash(ctx, file, info.Size())
		if err != nil {
			return record, false, err
		}
		if file.Digest != "" && digest != file.Digest || file.Digest == "" && sha256 != record.SHA256 {
			return record, false, nil
		}
		if !known || !record.Time.Equal(info.ModTime()) {
			record = store.Record{Path: file.Path, Identity: identity(file), Size: info.Size(), Done: true, SHA256: sha256,
				Time: info.ModTime(), ETag: record.ETag, Modified: record.Modified}
			if err := t.Folder.Save(record); err != nil {
				return record, false, err
			}
		}
	}
	if file.Digest != "" {
		return record, true, nil
	}
	current, err := t.current(ctx, file, record)
	return record, current, err
}

// hash reads a finished file once, for its sha256 and the digest promised.
func (t *Transfer) hash(ctx context.Context, file plan.File, size int64) (sha256, digest plan.Digest, err error) {
	f, err := t.Folder.File(file.Path)
	if err != nil {
		return "", "", store.Failure(err, t.Folder.Path)
	}
	defer f.Close()
	sums := newSums(file.Digest, size)
	_, err = io.Copy(sums, &stoppable{ctx, f})
	if err != nil && ctx.Err() == nil {
		err = store.Failure(err, t.Folder.Path)
	}
	return sums.sha256(), sums.digest(), err
}

// current asks the server whether its file is still the one we recorded.
func (t *Transfer) current(ctx context.Context, file plan.File, record store.Record) (same bool, err error) {
	request := file.Request
	request.Header = request.Header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	switch {
	case record.ETag != "":
		request.Header.Set("If-None-Match", record.ETag)
	case record.Modified != "":
		request.Header.Set("If-Modified-Since", record.Modified)
	default:
		return false, nil
	}
	err = t.Client.Retry(ctx, web.Redacted(request.URL), func() (bool, error) {
		release, err := t.connection(ctx)
		if err != nil {
			return false, err
		}
		defer release()
		answer, err := t.Client.Send(ctx, request)
		if err != nil {
			return false, err
		}
		if answer.StatusCode >= 400 {
			return false, web.Refusal(answer, request)
		}
		same = answer.StatusCode == http.StatusNotModified
		return true, answer.Body.Close()
	})
	return same, err
}

// stoppable ends a long read of a local file when the context ends.
type stoppable struct {
	ctx  context.Context
	from io.Reader
}

func (s *stoppable) Read(buffer []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.from.Read(buffer)
}
