// Package server opens the two ports, and on the way out ends what is under way before the program does.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"waybill/oidc-proxy/internal/probe"
)

const (
	headerLimit = 15 * time.Second
	idleLimit   = 2 * time.Minute
)

// Settings are what is served, and where.
type Settings struct {
	// Address is an IP address; an unspecified one stands for all, of both families.
	Address         string
	Port, ProbePort int
	// Grace bounds how long requests may go on once the program is asked to stop.
	Grace       time.Duration
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Ready tells whether the handler can do its work.
	Ready   func() bool
	Handler http.Handler
}

// Run serves until stopping is done. Its error is that a port can't be served.
func Run(stopping context.Context, s Settings, log *slog.Logger) error {
	busy := newBusy(s.Handler)
	secure := &http.Server{
		Handler:           busy,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.Certificate},
		ReadHeaderTimeout: headerLimit,
		IdleTimeout:       idleLimit,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	probes := probe.NewServer(func() bool { return s.Ready() && stopping.Err() == nil })
	securePort, err := listen(s.Address, s.Port)
	if err != nil {
		return err
	}
	probePort, err := listen(s.Address, s.ProbePort)
	if err != nil {
		return errors.Join(err, securePort.Close())
	}
	failed := make(chan error, 2)
	go func() { failed <- secure.ServeTLS(securePort, "", "") }()
	go func() { failed <- probes.Serve(probePort) }()
	log.Info("Listening", "secure", securePort.Addr(), "probe", probePort.Addr())
	select {
	case err := <-failed:
		return err
	case <-stopping.Done():
	}
	secure.RegisterOnShutdown(func() { log.Info("Stopped listening; ending what is under way", "requests", busy.count()) })
	drain(secure, busy, s.Grace, log)
	return probes.Close()
}

// drain waits for requests and, which Shutdown alone does not, for upgraded connections.
func drain(secure *http.Server, busy *busy, grace time.Duration, log *slog.Logger) {
	limit, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := secure.Shutdown(limit)
	if err == nil {
		err = busy.wait(limit)
	}
	if err != nil {
		log.Warn("Broke off what was still under way", "requests", busy.count(), "grace", grace)
		_ = secure.Close()
	}
}

func listen(address string, port int) (net.Listener, error) {
	if ip := net.ParseIP(address); ip == nil || ip.IsUnspecified() {
		address = ""
	}
	return net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
}
