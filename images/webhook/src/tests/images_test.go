package tests

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waybill/webhook/internal/images"
)

var (
	nginx = "sha256:" + strings.Repeat("a", 64)
	other = "sha256:" + strings.Repeat("b", 64)
)

func rules(t *testing.T, text string) *images.Rules {
	t.Helper()
	parsed, err := images.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestReferencesAreRewritten(t *testing.T) {
	all := rules(t, `
mirrors:
  - { from: docker.io, to: registry.test:5000/mirror }
  - { from: docker.io/acme/, to: registry.test:5000/acme }
  - { from: localhost:5001, to: registry.test:5000/local }
digests:
  nginx:1.29: `+nginx+`
  ghcr.io/acme/app:latest: `+other+`
`)
	for given, want := range map[string]string{
		"nginx:1.29":                    "registry.test:5000/mirror/library/nginx:1.29@" + nginx,
		"docker.io/library/nginx:1.29":  "registry.test:5000/mirror/library/nginx:1.29@" + nginx,
		"index.docker.io/nginx:1.29":    "registry.test:5000/mirror/library/nginx:1.29@" + nginx,
		"docker.io/nginx:1.29":          "registry.test:5000/mirror/library/nginx:1.29@" + nginx,
		"nginx:1.30":                    "registry.test:5000/mirror/library/nginx:1.30",
		"nginx":                         "registry.test:5000/mirror/library/nginx",
		"nginx:1.29@" + other:           "registry.test:5000/mirror/library/nginx:1.29@" + other,
		"acme/tool@" + other:            "registry.test:5000/acme/tool@" + other,
		"acmex/tool":                    "registry.test:5000/mirror/acmex/tool",
		"localhost:5001/a/b:2":          "registry.test:5000/local/a/b:2",
		"ghcr.io/acme/app":              "ghcr.io/acme/app@" + other,
		"ghcr.io/acme/app:latest":       "ghcr.io/acme/app:latest@" + other,
		"ghcr.io/acme/other:1":          "ghcr.io/acme/other:1",
		"quay.io/x/y":                   "quay.io/x/y",
		"registry.test:5000/mirror/x:1": "registry.test:5000/mirror/x:1",
		"registry.test:5000/app":        "registry.test:5000/app",
	} {
		if got := all.Rewrite(given); got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
		if again := all.Rewrite(all.Rewrite(given)); again != want {
			t.Errorf("%s: twice it is %s", given, again)
		}
	}
}

func TestAMirrorInTheRegistryThatItMirrorsIsEnteredOnce(t *testing.T) {
	within := rules(t, "mirrors: [{ from: quay.io, to: quay.io/mirror }]")
	if got := within.Rewrite(within.Rewrite("quay.io/a/b:1")); got != "quay.io/mirror/a/b:1" {
		t.Errorf("got %s", got)
	}
}

func TestRulesThatMakeNoSenseAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"mirors: []":                      "mirors",
		"mirrors: [{ from: docker.io }]":  "mirrors[0] needs from and to",
		"digests: { nginx: latest }":      `nginx has no digest, but "latest"`,
		"digests: { nginx: 'sha256:ab' }": "has no digest",
		"mirrors: [":                      "yaml",
	} {
		if _, err := images.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", text, err, want)
		}
	}
}

func TestNoFileMeansNoRules(t *testing.T) {
	file, err := images.Open(filepath.Join(t.TempDir(), "images.yaml"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got := file.Rules().Rewrite("nginx"); got != "nginx" {
		t.Errorf("got %s", got)
	}
}

func TestABadFileAtTheStartIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images.yaml")
	if err := os.WriteFile(path, []byte("mirrors: 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := images.Open(path, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("it was taken")
	}
}
