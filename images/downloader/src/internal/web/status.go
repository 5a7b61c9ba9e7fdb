package web

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"waybill/downloader/internal/fault"
)

const longestExplanation = 2048 // bytes read of a refusal's body

// StatusError is an answer that is not the one asked for.
type StatusError struct {
	Code       int
	URL        string // redacted
	Text       string // the server's own words, "" where it had none
	RetryAfter time.Duration
	Elsewhere  bool // answered by a host that a redirect led to
	mends      map[fault.Kind]string
	errorCode  string
}

// Refusal reads and closes an answer and gives its error.
func Refusal(answer *http.Response, request Request) *StatusError {
	body, _ := io.ReadAll(io.LimitReader(answer.Body, longestExplanation))
	_ = answer.Body.Close()
	return &StatusError{
		Code:       answer.StatusCode,
		URL:        Redacted(request.URL),
		Text:       explanation(answer.Header, body),
		RetryAfter: retryAfter(answer.Header.Get("Retry-After"), time.Now()),
		Elsewhere:  Redacted(answer.Request.URL.String()) != Redacted(request.URL),
		mends:      request.Mends,
		errorCode:  answer.Header.Get("X-Error-Code"),
	}
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("HTTP %d", e.Code)
	if e.Text != "" {
		text += " (" + e.Text + ")"
	}
	return text
}

// Fault is the refusal as the user should see it.
func (e *StatusError) Fault() *fault.Error {
	f := &fault.Error{Kind: e.kind(), What: "the server answered " + e.Error(), Where: e.URL, Cause: e}
	f.Mend = e.mends[f.Kind]
	return f
}

func (e *StatusError) kind() fault.Kind {
	switch {
	case e.errorCode == "RepoNotFound": // Hugging Face says 401 for a model that isn't there
		return fault.NotFound
	case e.Code == http.StatusNotFound || e.Code == http.StatusGone:
		return fault.NotFound
	case e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden || e.Code == http.StatusProxyAuthRequired:
		return fault.Auth
	}
	return fault.Network
}

func (e *StatusError) temporary() bool {
	switch e.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	case http.StatusForbidden: // a signed address that ran out; the next try gets a fresh one
		return e.Elsewhere
	}
	return e.Code >= 500
}

// explanation takes Hugging Face's header or "error", or the OCI distribution spec's errors[0].
func explanation(header http.Header, body []byte) string {
	if text := header.Get("X-Error-Message"); text != "" {
		return fault.OneLine(text)
	}
	var shape struct {
		Error  any
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(body, &shape) != nil {
		return ""
	}
	if len(shape.Errors) > 0 {
		return fault.OneLine(shape.Errors[0].Code + " " + shape.Errors[0].Message)
	}
	text, _ := shape.Error.(string)
	return fault.OneLine(text)
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3); 0 where there is none.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(date.Sub(now), 0)
	}
	return 0
}
