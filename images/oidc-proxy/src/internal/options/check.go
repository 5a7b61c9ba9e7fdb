package options

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"waybill/oidc-proxy/internal/identity"
)

// algorithms are kube-apiserver's: asymmetric ones only.
var algorithms = []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"}

func (o *Options) defaults() {
	if len(o.SigningAlgs) == 0 {
		o.SigningAlgs = []string{"RS256"}
	}
}

func (o *Options) check(rest []string) error {
	var problems []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	bad(len(rest) > 0, "unexpected arguments %q: flags start with --", rest)
	bad(o.ClientID == "", "--oidc-client-id is required")
	bad(o.CertFile == "", "--tls-cert-file is required")
	bad(o.KeyFile == "", "--tls-private-key-file is required")
	bad(o.UsernameClaim == "", "--oidc-username-claim is empty")
	bad(net.ParseIP(o.BindAddress) == nil, "--bind-address %q is no IP address", o.BindAddress)
	bad(!isPort(o.SecurePort), "--secure-port %d is no port", o.SecurePort)
	bad(!isPort(o.ProbePort), "--readiness-probe-port %d is no port", o.ProbePort)
	bad(o.SecurePort == o.ProbePort, "--secure-port and --readiness-probe-port are both %d", o.ProbePort)
	bad(o.ShutdownGrace < 0, "--shutdown-grace-period is negative")
	bad(o.TokenPassthrough && o.DisableImpersonation, "--token-passthrough with --disable-impersonation: one of the two")
	bad(len(o.TokenAudiences) > 0 && !o.TokenPassthrough, "--token-passthrough-audiences without --token-passthrough")
	for _, algorithm := range o.SigningAlgs {
		bad(!slices.Contains(algorithms, algorithm), "--oidc-signing-algs %q: take of %s", algorithm, strings.Join(algorithms, ", "))
	}
	return errors.Join(append(problems, checkIssuer(o.IssuerURL))...)
}

// checkIssuer holds the URL against OpenID Connect Discovery 1.0 section 2: https, no query, no fragment.
func checkIssuer(text string) error {
	issuer, err := url.Parse(text)
	switch {
	case text == "":
		return errors.New("--oidc-issuer-url is required")
	case err != nil:
		return fmt.Errorf("--oidc-issuer-url: %w", err)
	case issuer.Scheme != "https" || issuer.Host == "":
		return fmt.Errorf("--oidc-issuer-url %q is no https URL", text)
	case issuer.RawQuery != "" || issuer.Fragment != "" || issuer.User != nil:
		return errors.New("--oidc-issuer-url has a query, a fragment or a user, which no issuer has")
	}
	return nil
}

func isPort(number int) bool { return 0 < number && number < 1<<16 }

// Identity gives what tokens are held against.
func (o *Options) Identity() identity.Settings {
	return identity.Settings{
		URL:         o.IssuerURL,
		ClientID:    o.ClientID,
		SigningAlgs: o.SigningAlgs,
		CAFile:      o.CAFile,
		Mapping: identity.Mapping{
			UsernameClaim:  o.UsernameClaim,
			UsernamePrefix: identity.UsernamePrefix(o.UsernamePrefix, o.UsernameClaim, o.IssuerURL),
			GroupsClaim:    o.GroupsClaim,
			GroupsPrefix:   o.GroupsPrefix,
			Required:       o.RequiredClaims,
		},
	}
}
