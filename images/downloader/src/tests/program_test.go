// Package tests runs the whole program against real servers that misbehave. It is a folder of its own, so that
// the image sees no test: a change to one rebuilds nothing.
package tests

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waybill/downloader/internal/cli"
)

// The test binary stands in for the program where a real process is needed (signals, exit codes).
func TestMain(m *testing.M) {
	if os.Getenv("DOWNLOADER_TEST_AS_PROGRAM") != "" {
		os.Exit(cli.Main(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

type result struct {
	code int
	out  string
	err  string
}

// quick makes failures fast; it comes last, so that a test can't undo it by accident.
var quick = []string{"--retry-wait", "1ms", "--timeout", "2s"}

func run(t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	code := cli.Main(args, func(name string) string { return env[name] }, &out, &err)
	return result{code, out.String(), err.String()}
}

func download(t *testing.T, args ...string) result {
	t.Helper()
	return run(t, nil, append(args, quick...)...)
}

func (r result) expect(t *testing.T, code int, words ...string) {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit %d instead of %d:\n%s%s", r.code, code, r.out, r.err)
	}
	for _, word := range words {
		if !strings.Contains(r.err, word) {
			t.Errorf("no %q in:\n%s", word, r.err)
		}
	}
}

// content is n bytes that no two seeds share.
func content(seed uint64, n int) []byte {
	source := rand.NewChaCha8([32]byte{byte(seed)})
	bytes := make([]byte, n)
	_, _ = source.Read(bytes)
	return bytes
}

func sha(content []byte) string { return fmt.Sprintf("%x", sha256.Sum256(content)) }

func expectFile(t *testing.T, dir, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s has %d other bytes than the %d expected", name, len(got), len(want))
	}
	if parts, _ := filepath.Glob(filepath.Join(dir, ".downloader", "*.part")); len(parts) > 0 {
		t.Errorf("left behind: %v", parts)
	}
}

func expectNoFile(t *testing.T, dir, name string) {
	t.Helper()
	if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
		t.Fatalf("%s is there", name)
	}
}
