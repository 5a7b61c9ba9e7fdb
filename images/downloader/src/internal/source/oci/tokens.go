package oci

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/web"
)

// tokens answers a registry's challenges: Basic with the login itself, Bearer with a token from the realm
// (https://distribution.github.io/distribution/spec/auth/token/). The login goes to the registry's own host, to
// the realms below and to those the user names, never to wherever a challenge points (CVE-2026-33540).
type tokens struct {
	client    *web.Client
	reference reference
	login     login
	loggedIn  bool
	helper    string
	realms    []string

	mu    sync.Mutex
	value string // of the Authorization header
}

// Realms that belong to a registry of another host name.
var knownRealms = map[string]string{dockerHub: "auth.docker.io", "registry.gitlab.com": "gitlab.com"}

const longestToken = 1 << 20 // bytes of a token's answer

func newTokens(client *web.Client, reference reference, credentials Credentials, realms []string) (*tokens, error) {
	t := &tokens{client: client, reference: reference, helper: credentials.helper}
	t.login, t.loggedIn = credentials.find(reference.base.Host, reference.repository)
	if t.login.RegistryToken != "" {
		t.value = "Bearer " + t.login.RegistryToken
	}
	t.realms = append(slices.Clone(realms), reference.base.Host)
	if realm, ok := knownRealms[reference.base.Host]; ok {
		t.realms = append(t.realms, realm)
	}
	return t, nil
}

func (t *tokens) Authorization(context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.value, nil
}

// Challenged gets what the 401 asks for. Of many requests that one token's end refuses, only the first fetches.
func (t *tokens) Challenged(ctx context.Context, answer *http.Response) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if used := answer.Request.Header.Get("Authorization"); used != t.value {
		return true, nil
	}
	for _, challenge := range answer.Header.Values("WWW-Authenticate") {
		scheme, parameters := parseChallenge(challenge)
		switch {
		case scheme == "bearer":
			return t.fetch(ctx, parameters)
		case scheme == "basic" && t.loggedIn && t.value == "":
			t.value = string(web.Basic(t.login.Username, t.login.Password))
			return true, nil
		}
	}
	return false, t.helperMissing()
}

func (t *tokens) fetch(ctx context.Context, parameters map[string]string) (bool, error) {
	realm, err := url.Parse(parameters["realm"])
	if err != nil || realm.Scheme != "https" && realm.Scheme != "http" {
		return false, &fault.Error{Kind: fault.Auth, What: fmt.Sprintf("the registry names no token server: %q", parameters["realm"]), Where: t.reference.base.Host}
	}
	query := realm.Query()
	if service := parameters["service"]; service != "" {
		query.Set("service", service)
	}
	query.Set("scope", "repository:"+t.reference.repository+":pull")
	request := web.Request{Mends: map[fault.Kind]string{fault.Auth: "log in again: the registry refused the login in the docker config"}}
	if t.loggedIn {
		if err := t.trusted(realm); err != nil {
			return false, err
		}
		if t.login.IdentityToken != "" {
			return false, &fault.Error{Kind: fault.Auth, What: "the login is an identity token, which this program does not exchange", Where: t.reference.base.Host, Mend: "use a user with a password or an access token"}
		}
		request.Auth = web.Basic(t.login.Username, t.login.Password)
	}
	realm.RawQuery = query.Encode()
	request.URL = realm.String()
	var token struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if _, err := t.client.FetchJSON(ctx, request, longestToken, &token); err != nil {
		return false, err
	}
	if token.Token == "" {
		token.Token = token.AccessToken
	}
	if token.Token == "" {
		return false, t.helperMissing()
	}
	t.value = "Bearer " + token.Token
	return true, nil
}

// trusted refuses to show the login to a foreign host, or in the clear where the registry itself is not.
func (t *tokens) trusted(realm *url.URL) error {
	if !slices.Contains(t.realms, realm.Host) || realm.Scheme == "http" && t.reference.base.Scheme == "https" {
		return &fault.Error{Kind: fault.Auth, What: "the registry wants its login sent to " + realm.Scheme + "://" + realm.Host, Where: t.reference.base.Host,
			Mend: "if that is its token server, pass --auth-realm " + realm.Host}
	}
	return nil
}

func (t *tokens) helperMissing() error {
	if t.loggedIn || t.helper == "" {
		return nil
	}
	return &fault.Error{Kind: fault.Auth, What: "the docker config leaves logins to the helper " + t.helper + ", which can't run here", Where: t.reference.base.Host,
		Mend: "write the login into auths of a config.json of its own"}
}

var challengeParameter = regexp.MustCompile(`(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))`)

// parseChallenge reads `Bearer realm="…",service="…"` (RFC 9110, 11.6.1); scheme and names in lower case.
func parseChallenge(header string) (scheme string, parameters map[string]string) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	parameters = map[string]string{}
	for _, found := range challengeParameter.FindAllStringSubmatch(rest, -1) {
		parameters[strings.ToLower(found[1])] = found[2] + found[3]
	}
	return strings.ToLower(scheme), parameters
}
