package keypair

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// put writes a new self-signed pair with the serial number.
func put(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *Pair) serialAfterAWhile(t *testing.T) int64 {
	t.Helper()
	p.looked = time.Time{}
	shown, err := p.Server(nil)
	if err != nil {
		t.Fatal(err)
	}
	return shown.Leaf.SerialNumber.Int64()
}

func TestAReplacedPairIsShown(t *testing.T) {
	certFile, keyFile := filepath.Join(t.TempDir(), "crt"), filepath.Join(t.TempDir(), "key")
	put(t, certFile, keyFile, 1)
	var log bytes.Buffer
	pair, err := Open(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if got := pair.serialAfterAWhile(t); got != 1 {
		t.Errorf("at first: got %d", got)
	}
	put(t, certFile, keyFile, 2)
	if got := pair.serialAfterAWhile(t); got != 2 {
		t.Errorf("replaced: got %d", got)
	}
	if strings.Count(log.String(), "is reloaded") != 1 {
		t.Errorf("logged %s", &log)
	}
}

func TestAHalfReplacedPairLeavesTheLastGoodOne(t *testing.T) {
	certFile, keyFile := filepath.Join(t.TempDir(), "crt"), filepath.Join(t.TempDir(), "key")
	put(t, certFile, keyFile, 1)
	var log bytes.Buffer
	pair, err := Open(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	put(t, certFile, filepath.Join(t.TempDir(), "elsewhere"), 2)
	if got := pair.serialAfterAWhile(t); got != 1 {
		t.Errorf("a key of another certificate: got %d", got)
	}
	write(t, certFile, nil)
	if got := pair.serialAfterAWhile(t); got != 1 {
		t.Errorf("an empty file: got %d", got)
	}
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	if got := pair.serialAfterAWhile(t); got != 1 {
		t.Errorf("no file: got %d", got)
	}
	if strings.Count(log.String(), "can't be reloaded") != 3 {
		t.Errorf("logged %s", &log)
	}
	put(t, certFile, keyFile, 3)
	if got := pair.serialAfterAWhile(t); got != 3 {
		t.Errorf("mended: got %d", got)
	}
}

func TestOpenNeedsAPair(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none"), "none", slog.Default()); err == nil {
		t.Error("opened nothing")
	}
}
