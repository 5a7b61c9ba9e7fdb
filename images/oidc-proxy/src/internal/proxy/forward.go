package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"

	"waybill/oidc-proxy/internal/impersonation"
)

// forward passes a judged request on. Rewrite runs after the headers named in Connection are gone, so that
// no client can have those removed that are set here.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request, pass pass) {
	var stop context.CancelFunc
	if isEndless(r) {
		var ctx context.Context
		ctx, stop = context.WithCancel(r.Context())
		defer stop()
		defer context.AfterFunc(p.stopping, stop)()
		r = r.WithContext(ctx)
	}
	reverse := httputil.ReverseProxy{
		Transport:     pass.via,
		FlushInterval: p.settings.FlushInterval,
		ErrorLog:      slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
		Rewrite: func(out *httputil.ProxyRequest) {
			out.SetURL(p.cluster.URL)
			out.SetXForwarded()
			cleanse(out.Out.Header, out.In.Header, pass.asItCame)
			pass.headers(out.Out.Header)
		},
		ModifyResponse: func(response *http.Response) error {
			// The body of an upgrade is the connection itself and stays as it is.
			if stop != nil && response.StatusCode != http.StatusSwitchingProtocols {
				response.Body = &endable{response.Body, p.stopping}
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { p.failed(w, r, err) },
	}
	reverse.ServeHTTP(w, r)
}

// cleanse takes away what only the proxy may say. Where nobody is impersonated, the API server judges the
// client's impersonation headers by the client's own rights.
func cleanse(headers, asSent http.Header, keepImpersonation bool) {
	impersonation.Strip(headers)
	stripSocketToken(headers)
	if !keepImpersonation {
		return
	}
	for name, values := range asSent {
		if strings.HasPrefix(name, "Impersonate-") {
			headers[name] = values
		}
	}
}

// isEndless tells watches and followed logs: they last until somebody ends them.
func isEndless(r *http.Request) bool {
	query := r.URL.Query()
	for _, name := range []string{"watch", "follow"} {
		if value := query.Get(name); value == "true" || value == "1" {
			return true
		}
	}
	return false
}

// endable ends a response in good order, instead of by a broken connection, once the program stops.
type endable struct {
	io.ReadCloser
	stopping context.Context
}

func (e *endable) Read(into []byte) (int, error) {
	n, err := e.ReadCloser.Read(into)
	if err != nil && e.stopping.Err() != nil {
		err = io.EOF
	}
	return n, err
}

func (p *Proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil && p.stopping.Err() == nil {
		p.log.Debug("The client is gone", about(r)...)
		return
	}
	p.log.Error("The API server can't be reached", append(about(r), "error", err)...)
	writeStatus(w, http.StatusBadGateway, "the API server can't be reached")
}
