package proxy

import (
	"net/http"
	"strings"
)

// bearer takes the token from the Authorization header (RFC 6750 section 2.1), the first where there are several.
func bearer(headers http.Header) (string, bool) {
	scheme, token, ok := strings.Cut(strings.TrimSpace(headers.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != "" && !strings.ContainsAny(token, " \t")
}

// socketToken starts the WebSocket subprotocol by which browsers send a bearer token to an API server.
const socketToken = "base64url.bearer.authorization.k8s.io."

// stripSocketToken takes such a token out, so that none but the one judged gets through.
func stripSocketToken(headers http.Header) {
	const name = "Sec-Websocket-Protocol"
	lines := headers.Values(name)
	headers.Del(name)
	for _, line := range lines {
		var kept []string
		for protocol := range strings.SplitSeq(line, ",") {
			if protocol = strings.TrimSpace(protocol); !strings.HasPrefix(protocol, socketToken) {
				kept = append(kept, protocol)
			}
		}
		if len(kept) > 0 {
			headers.Add(name, strings.Join(kept, ", "))
		}
	}
}
