package options

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var least = []string{
	"--oidc-issuer-url=https://issuer.example", "--oidc-client-id", "kubernetes",
	"--tls-cert-file=crt", "--tls-private-key-file=key",
}

func TestFlagsInBothSpellingsAndRepeated(t *testing.T) {
	o, err := Parse(append(slices.Clone(least),
		"--oidc-required-claim=a=1,b=2", "--oidc-required-claim", "c=x=y",
		"--oidc-signing-algs=RS256,ES256", "--extra-user-headers=K=1,k=2", "--disable-impersonation", "-v=4"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(o.RequiredClaims, map[string]string{"a": "1", "b": "2", "c": "x=y"}) {
		t.Errorf("required: %v", o.RequiredClaims)
	}
	if !slices.Equal(o.SigningAlgs, []string{"RS256", "ES256"}) || !slices.Equal(o.ExtraHeaders["k"], []string{"1", "2"}) {
		t.Errorf("lists: %v %v", o.SigningAlgs, o.ExtraHeaders)
	}
	if !o.DisableImpersonation || o.Verbosity != 4 || o.ClientID != "kubernetes" || o.SecurePort != 6443 {
		t.Errorf("got %+v", o)
	}
	if got := o.Identity().Mapping.UsernamePrefix; got != "https://issuer.example#" {
		t.Errorf("prefix: %q", got)
	}
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := Parse([]string{"--oidc-issuer-url=http://issuer.example", "--secure-port=0", "--bind-address=here",
		"--oidc-signing-algs=HS256,none", "stray"}, io.Discard)
	for _, want := range []string{"no https URL", "--oidc-client-id", "--tls-cert-file", "--tls-private-key-file",
		"--secure-port 0", "--bind-address", `"HS256"`, `"none"`, "stray"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}

func TestARequiredClaimCannotHaveTwoValues(t *testing.T) {
	if _, err := Parse(append(slices.Clone(least), "--oidc-required-claim=a=1,a=2"), io.Discard); err == nil {
		t.Error("taken")
	}
}

func TestTheHealthCheckReadsTheFirstProcess(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line []string
		want []string
	}{
		{[]string{own, "serve", "--readiness-probe-port=9"}, []string{"--readiness-probe-port=9"}},
		{[]string{own, "--v=2"}, []string{"--v=2"}},
		{[]string{own}, []string{}},
		{[]string{"/bin/another", "--readiness-probe-port=9"}, nil},
	} {
		file := filepath.Join(t.TempDir(), "cmdline")
		if err := os.WriteFile(file, []byte(strings.Join(c.line, "\x00")+"\x00"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := firstProcess(file); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q", c.line, got)
		}
	}
	if got := firstProcess(filepath.Join(t.TempDir(), "none")); got != nil {
		t.Errorf("no file: got %q", got)
	}
}
