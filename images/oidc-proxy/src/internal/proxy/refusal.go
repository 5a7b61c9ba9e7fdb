package proxy

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
)

// refusal is an answer in the API server's stead.
type refusal struct {
	code int
	// message is for the client, reason for the log.
	message, reason string
}

func (r *refusal) Error() string { return r.reason }

// unauthorized tells the client nothing of what is wrong with its token, as an API server does.
func unauthorized(reason string) error {
	return &refusal{http.StatusUnauthorized, "Unauthorized", reason}
}

func unavailable(reason string) error {
	return &refusal{http.StatusServiceUnavailable, reason, reason}
}

func badRequest(reason string) error { return &refusal{http.StatusBadRequest, reason, reason} }

func forbidden(reason string) error { return &refusal{http.StatusForbidden, reason, reason} }

func unreviewed(cause error) error {
	return &refusal{http.StatusInternalServerError, "the impersonation can't be reviewed", cause.Error()}
}

func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, err error) {
	answer := &refusal{http.StatusInternalServerError, "internal error", err.Error()}
	errors.As(err, &answer)
	level := slog.LevelInfo
	if answer.code >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	p.log.Log(r.Context(), level, "Turned away", append(about(r), "code", answer.code, "reason", answer.reason)...)
	writeStatus(w, answer.code, answer.message)
}

// reasons are those of k8s.io/apimachinery metav1.StatusReason.
var reasons = map[int]string{
	http.StatusBadRequest:          "BadRequest",
	http.StatusUnauthorized:        "Unauthorized",
	http.StatusForbidden:           "Forbidden",
	http.StatusInternalServerError: "InternalError",
	http.StatusServiceUnavailable:  "ServiceUnavailable",
}

// writeStatus answers with a Status object, which kubectl and client-go print as they would the API server's.
func writeStatus(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache, private")
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind":       "Status",
		"apiVersion": "v1",
		"metadata":   map[string]any{},
		"status":     "Failure",
		"message":    message,
		"reason":     reasons[code],
		"code":       code,
	})
}

// about is what the log says of every request. Never the query: exec carries its command there.
func about(r *http.Request) []any {
	return []any{"method", r.Method, "path", r.URL.Path, "client", r.RemoteAddr}
}
