package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"waybill/downloader/internal/fault"
)

// Fetch reads a small document of at most limit bytes, with retries. Errors are *fault.Error.
func (c *Client) Fetch(ctx context.Context, request Request, limit int64) (body []byte, header http.Header, err error) {
	where := Redacted(request.URL)
	err = c.Retry(ctx, where, func() (bool, error) {
		answer, err := c.Send(ctx, request)
		if err != nil {
			return false, err
		}
		if answer.StatusCode != http.StatusOK {
			return false, Refusal(answer, request)
		}
		defer answer.Body.Close()
		header = answer.Header
		if body, err = io.ReadAll(io.LimitReader(answer.Body, limit+1)); err != nil {
			return false, err
		}
		if int64(len(body)) > limit {
			return false, &fault.Error{Kind: fault.Integrity, What: "the answer is larger than it may be", Where: where}
		}
		return true, nil
	})
	return body, header, err
}

// FetchJSON is Fetch and decode.
func (c *Client) FetchJSON(ctx context.Context, request Request, limit int64, into any) (http.Header, error) {
	body, header, err := c.Fetch(ctx, request, limit)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, &fault.Error{Kind: fault.Integrity, What: "the answer is not the JSON it should be", Where: Redacted(request.URL),
			Mend: "is this the right --registry and --type?", Cause: err}
	}
	return header, nil
}
