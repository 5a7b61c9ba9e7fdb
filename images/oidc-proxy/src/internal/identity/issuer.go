package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	answerLimit   = 10 * time.Second
	firstPause    = 100 * time.Millisecond
	longestPause  = 2 * time.Second
	idleAtIssuer  = 90 * time.Second
	redactedToken = "[token]"
)

// ErrNotReady says that the issuer has not been reached yet, so that no token can be judged.
var ErrNotReady = errors.New("the issuer has not answered yet")

// Settings are what tokens are held against.
type Settings struct {
	URL         string
	ClientID    string
	SigningAlgs []string
	// CAFile is PEM; empty for the system's authorities.
	CAFile  string
	Mapping Mapping
}

// Issuer verifies the tokens of one OpenID provider.
type Issuer struct {
	settings Settings
	client   *http.Client
	verifier atomic.Pointer[oidc.IDTokenVerifier]
}

// NewIssuer reads the CA file and asks nobody; Discover does.
func NewIssuer(settings Settings) (*Issuer, error) {
	authorities, err := authoritiesIn(settings.CAFile)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: answerLimit,
		IdleConnTimeout:     idleAtIssuer,
		ForceAttemptHTTP2:   true,
	}
	return &Issuer{settings: settings, client: &http.Client{Transport: transport, Timeout: answerLimit}}, nil
}

// authoritiesIn gives nil, which is the system's pool, where no file is named.
func authoritiesIn(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--oidc-ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--oidc-ca-file: no PEM certificate in %s", file)
	}
	return pool, nil
}

// Discover asks the issuer for its configuration until it answers or ctx ends. Once it has, the issuer is
// ready for good: keys already known go on verifying while the provider is away.
func (i *Issuer) Discover(ctx context.Context, log *slog.Logger) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := i.discover(ctx)
		if err == nil {
			log.Info("The issuer answers", "issuer", i.settings.URL)
			return
		}
		if ctx.Err() != nil {
			return
		}
		log.Warn("The issuer does not answer as it should; asking again", "issuer", i.settings.URL, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (i *Issuer) discover(ctx context.Context) error {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, i.client), i.settings.URL)
	if err != nil {
		return err
	}
	// Keys are fetched later, whenever a token names an unknown one: not in the context of this call.
	keys := oidc.ClientContext(context.WithoutCancel(ctx), i.client)
	i.verifier.Store(provider.VerifierContext(keys, &oidc.Config{
		ClientID:             i.settings.ClientID,
		SupportedSigningAlgs: i.settings.SigningAlgs,
	}))
	return nil
}

// Ready tells whether tokens can be judged.
func (i *Issuer) Ready() bool { return i.verifier.Load() != nil }

// Authenticate verifies signature, issuer, audience and times, and gives the user. No error holds the token.
func (i *Issuer) Authenticate(ctx context.Context, token string) (User, error) {
	verifier := i.verifier.Load()
	if verifier == nil {
		return User{}, ErrNotReady
	}
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return User{}, errors.New(strings.ReplaceAll(err.Error(), token, redactedToken))
	}
	var claims Claims
	if err := verified.Claims(&claims); err != nil {
		return User{}, errors.New("the claims are no JSON object")
	}
	return i.settings.Mapping.User(claims)
}
