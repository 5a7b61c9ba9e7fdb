package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"waybill/keypair"
	"waybill/webhook/internal/admit"
	"waybill/webhook/internal/images"
	"waybill/webhook/internal/kinds"
)

// settings are of mode serve.
type settings struct {
	address string
	certs   string
	images  string
	grace   time.Duration
}

func serveFlags(into *settings) *flag.FlagSet {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&into.address, "bind-address", ":8444", "address of the admission paths and /healthz, by TLS")
	flags.StringVar(&into.certs, "cert-dir", "/tls", "folder of tls.crt and tls.key, read again when they change")
	flags.StringVar(&into.images, "images", "/config/images.yaml", "file of mirrors and digests, read again when it changes; it may be absent")
	flags.DurationVar(&into.grace, "shutdown-grace-period", 10*time.Second, "how long requests under way may take after SIGTERM")
	return flags
}

func (p program) serve(args []string) int {
	var s settings
	if code, ok := p.parse(serveFlags(&s), args); !ok {
		return code
	}
	log := slog.New(slog.NewJSONHandler(p.errors, nil))
	if err := p.run(s, log); err != nil {
		log.Error("The webhook can't go on", "error", err)
		return exitFailed
	}
	return 0
}

func (p program) run(s settings, log *slog.Logger) error {
	pair, err := keypair.Open(filepath.Join(s.certs, "tls.crt"), filepath.Join(s.certs, "tls.key"), log)
	if err != nil {
		return err
	}
	rules, err := images.Open(s.images, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler(rules, log),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.Server},
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		// Clients that don't take the certificate (a scanner, a kubelet) are no news.
		ErrorLog: slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelDebug),
	}
	log.Info("The webhook serves", "address", listener.Addr().String())
	stopped := make(chan error, 1)
	go func() { stopped <- server.ServeTLS(listener, "", "") }()
	select {
	case err := <-stopped:
		return err
	case <-p.stopping.Done():
	}
	log.Info("The webhook stops")
	grace, cancel := context.WithTimeout(context.Background(), s.grace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// handler: an object of ours that nobody looked at must not come in; a pod must, or nothing starts while we are down.
func handler(rules *images.File, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(writer http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(writer, "ok\n") })
	mux.Handle("/mutate/kaos", admit.Serve(kinds.Default, admit.Closed, log))
	mux.Handle("/validate/kaos", admit.Serve(kinds.Validate, admit.Closed, log))
	mux.Handle("/mutate/pods", admit.Serve(images.Pods(rules.Rules), admit.Open, log))
	return mux
}
