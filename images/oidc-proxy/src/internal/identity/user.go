// Package identity turns a bearer token into the user it names, by the rules and flags of kube-apiserver:
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens
package identity

import (
	"fmt"
	"strings"
	"unicode"
)

// User is who a verified token names, prefixes included.
type User struct {
	Name   string
	Groups []string
}

// check refuses names that would not arrive at the API server as they are: a header loses the white space
// around its value (RFC 9110 section 5.5), so that "admin " would turn into "admin" on the way, and an empty
// name would leave the proxy's own rights.
func (u User) check() error {
	if err := checkName(u.Name); err != nil {
		return fmt.Errorf("user name: %w", err)
	}
	for _, group := range u.Groups {
		if err := checkName(group); err != nil {
			return fmt.Errorf("group: %w", err)
		}
	}
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("is empty")
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("%q has control characters", name)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%q has white space around it", name)
	}
	return nil
}
