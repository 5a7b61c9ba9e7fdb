package web

import (
	"context"
	"encoding/base64"
	"net/http"
)

// Static is an Authorization header that never changes; "" sends none.
type Static string

// Bearer is a token of the kind Hugging Face gives.
func Bearer(token string) Static {
	if token == "" {
		return ""
	}
	return Static("Bearer " + token)
}

// Basic is a user and a password (RFC 7617).
func Basic(user, password string) Static {
	return Static("Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
}

func (s Static) Authorization(context.Context) (string, error) { return string(s), nil }

// Challenged never tries again: there is nothing else to try.
func (s Static) Challenged(context.Context, *http.Response) (bool, error) { return false, nil }
