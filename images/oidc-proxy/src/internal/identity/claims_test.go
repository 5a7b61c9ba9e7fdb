package identity

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func claimsIn(t *testing.T, text string) Claims {
	t.Helper()
	var claims Claims
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestClaimsNameTheUser(t *testing.T) {
	for _, c := range []struct {
		what    string
		mapping Mapping
		claims  string
		name    string
		groups  []string
	}{
		{"the subject", Mapping{UsernameClaim: "sub"}, `{"sub":"alice"}`, "alice", nil},
		{"prefixes", Mapping{UsernameClaim: "sub", UsernamePrefix: "u:", GroupsClaim: "groups", GroupsPrefix: "g:"},
			`{"sub":"alice","groups":["dev","ops"]}`, "u:alice", []string{"g:dev", "g:ops"}},
		{"one group as a string", Mapping{UsernameClaim: "sub", GroupsClaim: "role"}, `{"sub":"a","role":"dev"}`, "a", []string{"dev"}},
		{"no groups in the token", Mapping{UsernameClaim: "sub", GroupsClaim: "groups"}, `{"sub":"a"}`, "a", nil},
		{"groups nobody asked for", Mapping{UsernameClaim: "sub"}, `{"sub":"a","groups":["x"]}`, "a", nil},
		{"a verified address", Mapping{UsernameClaim: "email"}, `{"email":"a@b.c","email_verified":true}`, "a@b.c", nil},
		{"an address of a provider that does not say", Mapping{UsernameClaim: "email"}, `{"email":"a@b.c"}`, "a@b.c", nil},
		{"a required claim", Mapping{UsernameClaim: "sub", Required: map[string]string{"tenant": "blue"}},
			`{"sub":"a","tenant":"blue"}`, "a", nil},
		{"letters of the world", Mapping{UsernameClaim: "sub"}, `{"sub":"Zoë 日本"}`, "Zoë 日本", nil},
	} {
		user, err := c.mapping.User(claimsIn(t, c.claims))
		if err != nil || user.Name != c.name || !slices.Equal(user.Groups, c.groups) {
			t.Errorf("%s: got %+v, %v", c.what, user, err)
		}
	}
}

func TestClaimsThatNameNobodySafely(t *testing.T) {
	sub := Mapping{UsernameClaim: "sub", UsernamePrefix: "u:", GroupsClaim: "groups"}
	bare := Mapping{UsernameClaim: "sub", GroupsClaim: "groups"}
	email := Mapping{UsernameClaim: "email"}
	blue := Mapping{UsernameClaim: "sub", Required: map[string]string{"tenant": "blue"}}
	for _, c := range []struct {
		what    string
		mapping Mapping
		claims  string
		want    string
	}{
		{"no name", sub, `{}`, `claim "sub" is not in the token`},
		{"an empty name, even with a prefix", sub, `{"sub":""}`, `claim "sub" is empty`},
		{"a number for a name", sub, `{"sub":7}`, `claim "sub" is not a`},
		{"null for a name", sub, `{"sub":null}`, `claim "sub" is not a`},
		{"a name the header would trim", bare, `{"sub":"admin "}`, "white space around it"},
		{"a name with a line break", sub, `{"sub":"a\r\nImpersonate-User: root"}`, "control characters"},
		{"a group the header would trim", bare, `{"sub":"a","groups":[" system:masters"]}`, "white space around it"},
		{"an empty group", bare, `{"sub":"a","groups":[""]}`, "is empty"},
		{"groups of another shape", bare, `{"sub":"a","groups":{"x":1}}`, "neither a string nor an array"},
		{"null for groups", bare, `{"sub":"a","groups":null}`, "neither a string nor an array"},
		{"an unverified address", email, `{"email":"a@b.c","email_verified":false}`, "not verified"},
		{"an address verified in words", email, `{"email":"a@b.c","email_verified":"true"}`, "is not a"},
		{"a required claim missing", blue, `{"sub":"a"}`, `required claim "tenant" is not in the token`},
		{"a required claim with another value", blue, `{"sub":"a","tenant":"red"}`, `required claim "tenant" is "red", not "blue"`},
		{"a required claim among others", blue, `{"sub":"a","tenant":["blue"]}`, `required claim "tenant" is not a`},
	} {
		user, err := c.mapping.User(claimsIn(t, c.claims))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %+v, %v", c.what, user, err)
		}
	}
}

func TestTheDefaultPrefixIsTheIssuer(t *testing.T) {
	const issuer = "https://issuer.example"
	for _, c := range []struct{ flag, claim, want string }{
		{"", "sub", issuer + "#"},
		{"", "email", ""},
		{"-", "sub", ""},
		{"-", "email", ""},
		{"oidc:", "sub", "oidc:"},
		{"oidc:", "email", "oidc:"},
	} {
		if got := UsernamePrefix(c.flag, c.claim, issuer); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}
