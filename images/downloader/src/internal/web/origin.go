package web

import "net/url"

// origin is scheme, host and port: what credentials are bound to (RFC 6454). Two ports are two origins.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + u.Hostname() + ":" + port
}

// SameOrigin tells whether two URLs share scheme, host and port.
func SameOrigin(a, b *url.URL) bool { return origin(a) == origin(b) }

// Redacted is a URL fit for a log: no user, no password, no query (where signatures are).
func Redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(unreadable URL)"
	}
	u.User, u.Fragment = nil, ""
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	return u.String()
}
