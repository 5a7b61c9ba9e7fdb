// Package impersonation reads the Impersonate-* headers a client sends and writes those the API server gets:
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
package impersonation

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const (
	prefix      = "Impersonate-"
	userHeader  = "Impersonate-User"
	groupHeader = "Impersonate-Group"
	uidHeader   = "Impersonate-Uid"
	extraPrefix = "Impersonate-Extra-"
)

// Identity is whom a request is to count as.
type Identity struct {
	User   string
	UID    string
	Groups []string
	// Extra is by lower-case key.
	Extra map[string][]string
}

// Read gives the identity a client asks for, nil when it asks for none. What the API server would not
// understand, or understand otherwise than it was reviewed, is an error.
func Read(headers http.Header) (*Identity, error) {
	asked := &Identity{Extra: map[string][]string{}}
	found := false
	for name, values := range headers {
		if !hasPrefix(name, prefix) {
			continue
		}
		found = true
		if err := asked.take(http.CanonicalHeaderKey(name), values); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, nil
	}
	if asked.User == "" {
		return nil, fmt.Errorf("impersonation headers without %s: name a user to impersonate", userHeader)
	}
	return asked, nil
}

func (i *Identity) take(name string, values []string) error {
	switch {
	case name == userHeader || name == uidHeader:
		if len(values) != 1 {
			return fmt.Errorf("%s is given %d times: give it once", name, len(values))
		}
		if name == userHeader {
			i.User = values[0]
		} else {
			i.UID = values[0]
		}
	case name == groupHeader:
		i.Groups = values
	case hasPrefix(name, extraPrefix):
		key, err := url.PathUnescape(strings.ToLower(name[len(extraPrefix):]))
		if err != nil || key == "" {
			return fmt.Errorf("%s: the key is not percent-encoded as it should be", name)
		}
		if isRecord(key) {
			return fmt.Errorf("%s: the proxy alone says who asked", name)
		}
		i.Extra[key] = append(i.Extra[key], values...)
	default:
		return fmt.Errorf("%s is no impersonation header known here", name)
	}
	return nil
}

// Strip removes every header by which a client could say who it is: impersonation, and those of an
// authenticating proxy (--requestheader-*-headers of kube-apiserver), whatever their case.
func Strip(headers http.Header) {
	for name := range headers {
		if hasPrefix(name, prefix) || hasPrefix(name, "X-Remote-") {
			delete(headers, name)
		}
	}
}

// Write replaces what Strip removes by the identity.
func (i Identity) Write(headers http.Header) {
	Strip(headers)
	headers.Set(userHeader, i.User)
	if i.UID != "" {
		headers.Set(uidHeader, i.UID)
	}
	for _, group := range i.Groups {
		headers.Add(groupHeader, group)
	}
	for key, values := range i.Extra {
		for _, value := range values {
			headers.Add(extraPrefix+escapeKey(key), value)
		}
	}
}

func hasPrefix(name, start string) bool {
	return len(name) >= len(start) && strings.EqualFold(name[:len(start)], start)
}

// escapeKey percent-encodes what may not stand in a header's name (RFC 9110 section 5.6.2), "%" itself, and
// capitals: the API server lower-cases the name before it decodes it, and would find another key there.
func escapeKey(key string) string {
	var escaped strings.Builder
	for _, b := range []byte(key) {
		if !standsForItself(b) {
			fmt.Fprintf(&escaped, "%%%02X", b)
		} else {
			escaped.WriteByte(b)
		}
	}
	return escaped.String()
}

func standsForItself(b byte) bool {
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' ||
		strings.IndexByte("!#$&'*+-.^_`|~", b) >= 0
}
