// Package web sends GET requests the way a downloader needs them: redirects that don't carry credentials to
// another origin, a watch on silence instead of on total time, and errors that know if a retry makes sense.
package web

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"waybill/downloader/internal/fault"
)

const maxRedirects = 10

// Authorizer gives credentials for one origin, that of the request's first URL.
type Authorizer interface {
	// Authorization is the header's value, or "".
	Authorization(ctx context.Context) (string, error)
	// Challenged learns from a 401 answer and says whether asking again makes sense.
	Challenged(ctx context.Context, answer *http.Response) (bool, error)
}

// Request is a GET. Mends are the hints to show for a kind of refusal.
type Request struct {
	URL    string
	Header http.Header
	Auth   Authorizer
	Mends  map[fault.Kind]string
}

// Options shape a client. Silence is how long a server may send nothing; Connections are kept open per host.
type Options struct {
	Insecure    bool
	Silence     time.Duration
	Retries     int
	FirstWait   time.Duration
	Connections int
	Note        func(line string)
}

// Client is safe for concurrent use.
type Client struct {
	transport *http.Transport
	options   Options
}

// New gives a client that obeys HTTP_PROXY, HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE.
func New(options Options) *Client {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DisableCompression:    true, // digests and ranges are of the bytes as stored
		MaxIdleConnsPerHost:   options.Connections,
		TLSHandshakeTimeout:   options.Silence,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: options.Silence,
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: options.Insecure},
		Protocols:             new(http.Protocols),
	}
	// HTTP/1.1 on purpose: HTTP/2 would put all parallel ranges on one TCP connection.
	transport.Protocols.SetHTTP1(true)
	return &Client{transport: transport, options: options}
}

var errSilent = errors.New("the server went silent")

// Send makes one try and gives whatever status came. The body fails with a temporary error after silence.
func (c *Client) Send(ctx context.Context, request Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	watch := time.AfterFunc(c.options.Silence, func() { cancel(errSilent) })
	answer, err := c.follow(ctx, request)
	if err != nil {
		watch.Stop()
		err = causeOf(ctx, err)
		cancel(nil)
		return nil, err
	}
	watch.Stop()
	answer.Body = &watchedBody{body: answer.Body, ctx: ctx, cancel: cancel, watch: watch, silence: c.options.Silence}
	return answer, nil
}

func (c *Client) follow(ctx context.Context, request Request) (*http.Response, error) {
	target, err := url.Parse(request.URL)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Integrity, What: "not a URL", Where: Redacted(request.URL)}
	}
	home, challenged := origin(target), false
	for hops := 0; hops <= maxRedirects; {
		answer, err := c.once(ctx, target, request, home)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode == http.StatusUnauthorized && request.Auth != nil && origin(target) == home && !challenged {
			challenged = true
			again, err := request.Auth.Challenged(ctx, answer)
			if err != nil || again {
				discard(answer)
			}
			if err != nil {
				return nil, err
			}
			if again {
				continue
			}
		}
		if !isRedirect(answer) {
			return answer, nil
		}
		discard(answer)
		if target, err = next(answer, target); err != nil {
			return nil, err
		}
		hops++
	}
	return nil, &fault.Error{Kind: fault.Network, What: "more than 10 redirects", Where: Redacted(request.URL)}
}

func (c *Client) once(ctx context.Context, target *url.URL, request Request, home string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Integrity, What: "not a URL", Where: Redacted(target.String())}
	}
	for name, values := range request.Header {
		r.Header[name] = values
	}
	r.Header.Set("User-Agent", "waybill-downloader")
	r.Header.Set("Accept-Encoding", "identity")
	if request.Auth != nil && origin(target) == home {
		value, err := request.Auth.Authorization(ctx)
		if err != nil {
			return nil, err
		}
		if value != "" {
			r.Header.Set("Authorization", value)
		}
	}
	return c.transport.RoundTrip(r)
}

func isRedirect(answer *http.Response) bool {
	switch answer.StatusCode {
	case 301, 302, 303, 307, 308:
		return answer.Header.Get("Location") != ""
	}
	return false
}

func next(answer *http.Response, from *url.URL) (*url.URL, error) {
	target, err := answer.Location()
	if err != nil || target.Scheme != "http" && target.Scheme != "https" {
		return nil, &fault.Error{Kind: fault.Network, What: "redirected to something that is no web address", Where: Redacted(from.String())}
	}
	if from.Scheme == "https" && target.Scheme == "http" {
		return nil, &fault.Error{Kind: fault.Network, What: "refused a redirect from https to http", Where: Redacted(from.String())}
	}
	return target, nil
}

// discard empties a small body so that its connection can be used again.
func discard(answer *http.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10)
	_ = answer.Body.Close()
}

func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
