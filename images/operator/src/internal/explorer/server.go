package explorer

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"

	"waybill/kaos/crds"
)

// policy lets the page use its own files and nothing else. Swagger UI sets styles from its script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// Server is the explorer on an address of its own, run by a manager or by itself.
type Server struct {
	Address string
	// Files is the folder with index.html and Swagger UI.
	Files string
	Log   logr.Logger
}

// NeedLeaderElection tells the manager that those who stand by show it too.
func (Server) NeedLeaderElection() bool { return false }

// Start serves until the context ends.
func (s Server) Start(stopping context.Context) error {
	handler, err := s.handler()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.Address)
	if err != nil {
		return err
	}
	s.Log.Info("The explorer is served", "address", listener.Addr().String(), "path", "/explorer/")
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 1 << 14}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	select {
	case err := <-stopped:
		return err
	case <-stopping.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}

func (s Server) handler() (http.Handler, error) {
	document, err := OpenAPI(crds.Files)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/explorer/", http.StatusFound))
	mux.Handle("GET /explorer/", http.StripPrefix("/explorer/", http.FileServer(http.Dir(s.Files))))
	mux.HandleFunc("GET /explorer/openapi.json", func(writer http.ResponseWriter, _ *http.Request) {
		writer.Header().Set("Content-Type", "application/json")
		_, _ = writer.Write(document)
	})
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		header := writer.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(writer, request)
	}), nil
}
