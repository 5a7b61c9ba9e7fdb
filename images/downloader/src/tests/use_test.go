package tests

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBadUseIsOneLineAndExit2(t *testing.T) {
	for args, words := range map[string]string{
		"":                                    "no folder to fill: pass --output-dir DIR",
		"dance":                               `unknown mode "dance", first argument: the modes are download, healthcheck, version`,
		"--bogus":                             "flag provided but not defined",
		"--output-dir d":                      `unknown --type ""`,
		"--output-dir d --type http":          "nothing to fetch",
		"--output-dir d --type http --name a": `no server for "a"`,
		"--output-dir d --type http --name ../a --registry http://x":                "bad --name",
		"--output-dir d --type http --name a --registry x":                          "starts with https://",
		"--output-dir d --type http --name a --registry http://u:p@x":               "other users can read a command line",
		"--output-dir d --type http --name a --registry http://x --sha256 12":       "64 hex digits",
		"--output-dir d --type http --name a,b --registry http://x --sha256 12":     "write name=digest",
		"--output-dir d --type http --name a --registry http://x --revision 1":      "has no --revision",
		"--output-dir d --type http --name a --registry http://x --include [":       "bad pattern",
		"--output-dir d --type http --name a --registry http://x --threadness 0":    "bad --threadness",
		"--output-dir d --type http --name a --registry http://x --chunk-size 1":    "64KiB or more",
		"--output-dir d --type http --name a --registry http://x --progress x":      "unknown --progress",
		"--output-dir d --type http --name a --registry http://x --list /none":      "cannot read --list",
		"--output-dir d --type http --name http://x/ ":                              "the URL names no file",
		"--output-dir d --type huggingface --name a/b/c":                            "it is org/model",
		"--output-dir d --type huggingface --name a,b":                              "2 names",
		"--output-dir d --type huggingface --name a --registry http://x --sha256 1": "are for --type http",
		"--output-dir d --type oci --name UPPER":                                    "in lower case",
		"--output-dir d --type oci --name a --revision -bad":                        "tag or a digest",
		"download extra": `one argument too many, "extra"`,
		"healthcheck":    "healthcheck needs --output-dir",
	} {
		got := run(t, nil, strings.Fields(args)...)
		got.expect(t, 2, words)
		if strings.Count(got.err, "\n") != 1 || got.out != "" {
			t.Errorf("%q printed %q %q", args, got.out, got.err)
		}
	}
}

func TestTheModeComesFromTheArgumentElseTheEnvironment(t *testing.T) {
	env := map[string]string{"WAYBILL_MODE": "version"}
	if got := run(t, env); got.code != 0 || !strings.HasPrefix(got.out, "downloader sha256:") {
		t.Error(got)
	}
	run(t, env, "download").expect(t, 2, "no folder to fill")
	if got := run(t, nil, "--help"); got.code != 0 || !strings.Contains(got.out, "--threadness number") {
		t.Error(got)
	}
}

func TestAListWithDigestsIsFetchedWhole(t *testing.T) {
	a, b := content(1, 1000), content(2, 70_000)
	s := serve(t, map[string][]byte{"/d/a.bin": a, "/d/sub/b.bin": b})
	dir := t.TempDir()
	list := filepath.Join(t.TempDir(), "SHA256SUMS")
	_ = os.WriteFile(list, []byte("# two files\n"+sha(a)+"  a.bin\n\n"+sha(b)+" *sub/b.bin\n"), 0o600)
	download(t, "--type", "http", "--registry", s.URL+"/d/", "--list", list, "--output-dir", dir).expect(t, 0, "2 files")
	expectFile(t, dir, "a.bin", a)
	expectFile(t, dir, "sub/b.bin", b)
	s.files["/d/a.bin"] = content(3, 1000)
	_ = os.Remove(filepath.Join(dir, "a.bin"))
	download(t, "--type", "http", "--registry", s.URL+"/d/", "--list", list, "--output-dir", dir).expect(t, 5, "a.bin: wrong bytes")
	download(t, "--type", "http", "--name", s.URL+"/d/sub/b.bin?sig=1", "--sha256", sha(b), "--output-dir", t.TempDir()).expect(t, 0, "downloaded b.bin")
}

func TestProgressAsJSONIsOneObjectALine(t *testing.T) {
	_, _, _, args := weights(t, 1000)
	var events []string
	got := download(t, append(args, "--progress", "json")...)
	for line := range strings.Lines(got.out) {
		var e struct {
			Event     string
			BytesDone int64
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(line)
		}
		events = append(events, e.Event)
		if e.Event == "done" && e.BytesDone != 1000 {
			t.Error(line)
		}
	}
	if strings.Join(events, " ") != "plan file done" || got.err != "" {
		t.Error(events, got.err)
	}
	got = download(t, append(args, "--progress", "json", "--name", "absent")...)
	if !strings.Contains(got.out, `"event":"error"`) || !strings.Contains(got.out, `"exitCode":3`) {
		t.Error(got.out)
	}
	got = download(t, append(args, "--progress", "none")...)
	if got.out+got.err != "" {
		t.Error(got)
	}
}

func TestAnUntrustedCertificateSaysWhatToDo(t *testing.T) {
	s := serve(t, map[string][]byte{path: content(1, 10)})
	tls := httptest.NewTLSServer(s.Config.Handler)
	t.Cleanup(tls.Close)
	args := []string{"--type", "http", "--name", tls.URL + path, "--output-dir", t.TempDir()}
	download(t, args...).expect(t, 6, "certificate", "SSL_CERT_FILE", "--insecure")
	download(t, append(args, "--insecure")...).expect(t, 0)
	s.next(status(302, "Location", s.URL+path))
	download(t, append(args, "--insecure", "--output-dir", t.TempDir())...).expect(t, 6, "refused a redirect from https to http")
}

func TestAFolderThatCannotBeWrittenSaysWhy(t *testing.T) {
	_, _, dir, args := weights(t, 10)
	file := filepath.Join(dir, "file")
	_ = os.WriteFile(file, nil, 0o600)
	download(t, append(args, "--output-dir", filepath.Join(file, "sub"))...).expect(t, 7, "cannot mkdir: not a directory")
	_ = os.Mkdir(filepath.Join(dir, "weights.bin"), 0o700)
	download(t, args...).expect(t, 7, "a folder is in the way", "remove it")
}
