package tests

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// server serves files as any good server does, except where its faults, taken in turn, do worse.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string][]byte
	etags    map[string]string // "" for none
	faults   []http.HandlerFunc
	requests []*http.Request
	sent     int // bytes of bodies
	now, top int // requests at a time
}

func serve(t *testing.T, files map[string][]byte) *server {
	s := &server{files: files, etags: map[string]string{}}
	for name := range files {
		s.etags[name] = `"one"`
	}
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.now++
	s.top = max(s.top, s.now)
	var fault http.HandlerFunc
	if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.now--; s.mu.Unlock() }()
	counted := &counter{ResponseWriter: w, server: s}
	if fault != nil {
		fault(counted, r)
		return
	}
	s.good(counted, r)
}

func (s *server) good(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	body, ok := s.files[r.URL.Path]
	etag := s.etags[r.URL.Path]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// next queues what the coming requests meet; nil is good service.
func (s *server) next(faults ...http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// always puts one behaviour in place of good service.
func (s *server) always(fault http.HandlerFunc) {
	for range 1000 {
		s.next(fault)
	}
}

// reset forgets what is queued and what was counted.
func (s *server) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.requests, s.sent = nil, nil, 0
}

// bytes is how much of bodies was sent since the last reset.
func (s *server) bytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// seen gives the requests since the last reset.
func (s *server) seen() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// cut drops the connection after n bytes of the body.
func (s *server) cut(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.good(&cutter{w, n}, r) }
}

// noRanges answers 200 with all of it, cut after n bytes where n is not negative.
func (s *server) noRanges(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.Header.Del("Range")
		if n >= 0 {
			w = &cutter{w, n}
		}
		s.good(w, r)
	}
}

// hang sends n bytes and then nothing until the client has gone.
func (s *server) hang(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if n > 0 {
			s.good(&cutter{&silencer{w, r}, n}, r)
		}
		<-r.Context().Done()
	}
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

type counter struct {
	http.ResponseWriter
	server *server
}

func (c *counter) Write(bytes []byte) (int, error) {
	n, err := c.ResponseWriter.Write(bytes)
	c.server.mu.Lock()
	c.server.sent += n
	c.server.mu.Unlock()
	return n, err
}

func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(bytes []byte) (int, error) {
	if len(bytes) < c.left {
		c.left -= len(bytes)
		return c.ResponseWriter.Write(bytes)
	}
	_, _ = c.ResponseWriter.Write(bytes[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	if quiet, ok := c.ResponseWriter.(*silencer); ok {
		<-quiet.request.Context().Done()
	}
	panic(http.ErrAbortHandler)
}

func (c *cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

type silencer struct {
	http.ResponseWriter
	request *http.Request
}

func (s *silencer) Unwrap() http.ResponseWriter { return s.ResponseWriter }
