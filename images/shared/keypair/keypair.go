// Package keypair serves a certificate from two files that somebody else replaces now and then, as
// cert-manager does with the Secret behind them.
package keypair

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery bounds how often handshakes read the files, and with it how long an old certificate is shown.
const lookEvery = time.Second

// Pair is a certificate and its key, both PEM files.
type Pair struct {
	certFile, keyFile string
	log               *slog.Logger

	mu        sync.Mutex
	looked    time.Time
	cert, key []byte
	current   *tls.Certificate
}

// Open reads the files once; later troubles with them are logged and leave the last good pair in place.
func Open(certFile, keyFile string, log *slog.Logger) (*Pair, error) {
	pair := &Pair{certFile: certFile, keyFile: keyFile, log: log}
	if _, err := pair.reload(); err != nil {
		return nil, err
	}
	return pair, nil
}

// Server is for tls.Config.GetCertificate.
func (p *Pair) Server(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.get(), nil }

func (p *Pair) get() *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.looked) < lookEvery {
		return p.current
	}
	changed, err := p.reload()
	switch {
	case err != nil:
		p.log.Error("The certificate can't be reloaded; the last one stays", "file", p.certFile, "error", err)
	case changed:
		p.log.Info("The certificate is reloaded", "file", p.certFile)
	}
	return p.current
}

// reload compares bytes, not times: a Secret's files are links that move, with times of their own.
func (p *Pair) reload() (changed bool, err error) {
	p.looked = time.Now()
	cert, err := os.ReadFile(p.certFile)
	if err != nil {
		return false, err
	}
	key, err := os.ReadFile(p.keyFile)
	if err != nil {
		return false, err
	}
	if bytes.Equal(cert, p.cert) && bytes.Equal(key, p.key) {
		return false, nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return false, fmt.Errorf("%s with %s: %w", p.certFile, p.keyFile, err)
	}
	p.cert, p.key, p.current = cert, key, &pair
	return true, nil
}
