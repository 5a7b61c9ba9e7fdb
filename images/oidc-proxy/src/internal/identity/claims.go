package identity

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Claims are the members of a token's payload, each still JSON.
type Claims map[string]json.RawMessage

// Mapping says which claims name the user, as the --oidc-* flags of kube-apiserver do.
type Mapping struct {
	UsernameClaim  string
	UsernamePrefix string
	// GroupsClaim is empty where tokens carry no groups.
	GroupsClaim  string
	GroupsPrefix string
	// Required are claims that must be there with exactly this value.
	Required map[string]string
}

// NoPrefix as --oidc-username-prefix turns the default prefix off.
const NoPrefix = "-"

// UsernamePrefix is kube-apiserver's rule: names are kept apart by the issuer's URL, unless the flag says
// otherwise or they are e-mail addresses, which need no keeping apart.
func UsernamePrefix(flag, claim, issuerURL string) string {
	switch {
	case flag == NoPrefix:
		return ""
	case flag == "" && claim != "email":
		return issuerURL + "#"
	}
	return flag
}

// User gives the user the claims name. The claims must come from a verified token.
func (m Mapping) User(claims Claims) (User, error) {
	if err := m.checkRequired(claims); err != nil {
		return User{}, err
	}
	name, err := m.username(claims)
	if err != nil {
		return User{}, err
	}
	groups, err := m.groups(claims)
	if err != nil {
		return User{}, err
	}
	user := User{Name: m.UsernamePrefix + name, Groups: groups}
	return user, user.check()
}

func (m Mapping) checkRequired(claims Claims) error {
	for name, want := range m.Required {
		var got string
		if err := claims.read(name, &got); err != nil {
			return fmt.Errorf("required %w", err)
		}
		if got != want {
			return fmt.Errorf("required claim %q is %q, not %q", name, got, want)
		}
	}
	return nil
}

func (m Mapping) username(claims Claims) (string, error) {
	var name string
	if err := claims.read(m.UsernameClaim, &name); err != nil {
		return "", err
	}
	if name == "" {
		return "", fmt.Errorf("claim %q is empty", m.UsernameClaim)
	}
	if m.UsernameClaim == "email" {
		return name, claims.checkEmailVerified()
	}
	return name, nil
}

// checkEmailVerified takes an absent claim for a provider that lets in verified addresses only.
func (c Claims) checkEmailVerified() error {
	if _, present := c["email_verified"]; !present {
		return nil
	}
	var verified bool
	if err := c.read("email_verified", &verified); err != nil {
		return err
	}
	if !verified {
		return errors.New("the e-mail address is not verified")
	}
	return nil
}

// groups takes an array of strings, or one string, as some providers send a single group.
func (m Mapping) groups(claims Claims) ([]string, error) {
	if _, present := claims[m.GroupsClaim]; m.GroupsClaim == "" || !present {
		return nil, nil
	}
	var groups []string
	if claims.read(m.GroupsClaim, &groups) != nil {
		var one string
		if claims.read(m.GroupsClaim, &one) != nil {
			return nil, fmt.Errorf("claim %q is neither a string nor an array of strings", m.GroupsClaim)
		}
		groups = []string{one}
	}
	for i, group := range groups {
		groups[i] = m.GroupsPrefix + group
	}
	return groups, nil
}

// read decodes a claim; its errors name the claim, never the value.
func (c Claims) read(name string, into any) error {
	raw, present := c[name]
	if !present {
		return fmt.Errorf("claim %q is not in the token", name)
	}
	if string(raw) == "null" || json.Unmarshal(raw, into) != nil {
		return fmt.Errorf("claim %q is not a %T", name, into)
	}
	return nil
}
