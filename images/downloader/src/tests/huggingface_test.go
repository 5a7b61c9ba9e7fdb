package tests

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// hub is the part of Hugging Face's API that matters, two files a page, LFS files by redirect to another host.
func hub(t *testing.T, files map[string][]byte, lfs ...string) (hub, cdn *server) {
	hub, cdn = serve(t, map[string][]byte{}), serve(t, map[string][]byte{})
	var entries []map[string]any
	entries = append(entries, map[string]any{"type": "directory", "path": "sub", "oid": "x", "size": 0})
	for name, body := range files {
		entry := map[string]any{"type": "file", "path": name, "size": len(body), "oid": fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(body)), body...)))}
		for _, pattern := range lfs {
			if ok, _ := filepath.Match(pattern, filepath.Base(name)); ok {
				entry["lfs"] = map[string]any{"oid": sha(body), "size": len(body), "pointerSize": 130}
				cdn.files["/"+sha(body)] = body
			}
		}
		entries = append(entries, entry)
	}
	hub.always(func(w http.ResponseWriter, r *http.Request) {
		tree := "/api/models/acme/tiny/tree/" + commit
		switch {
		case r.URL.Path == "/api/models/acme/tiny/revision/main", r.URL.EscapedPath() == "/api/models/acme/tiny/revision/refs%2Fpr%2F1":
			fmt.Fprintf(w, `{"id":"acme/tiny","sha":%q}`, commit)
		case r.URL.Path == tree && r.URL.Query().Get("recursive") == "true" && r.URL.Query().Get("cursor") == "":
			w.Header().Set("Link", fmt.Sprintf(`<https://huggingface.co%s?recursive=true&cursor=2>; rel="next"`, tree))
			_ = json.NewEncoder(w).Encode(entries[:2])
		case r.URL.Path == tree && r.URL.Query().Get("cursor") == "2":
			_ = json.NewEncoder(w).Encode(entries[2:])
		case strings.HasPrefix(r.URL.Path, "/acme/tiny/resolve/"+commit+"/"):
			body, ok := files[strings.TrimPrefix(r.URL.Path, "/acme/tiny/resolve/"+commit+"/")]
			if _, large := cdn.files["/"+sha(body)]; large {
				http.Redirect(w, r, cdn.URL+"/"+sha(body), http.StatusFound)
			} else if ok {
				_, _ = w.Write(body)
			}
		default:
			w.Header().Set("X-Error-Code", "RepoNotFound")
			w.Header().Set("X-Error-Message", "Repository not found")
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	return hub, cdn
}

func fromHub(hub *server, dir string, more ...string) []string {
	return append([]string{"--type", "huggingface", "--registry", hub.URL, "--name", "acme/tiny", "--output-dir", dir}, more...)
}

func tiny() map[string][]byte {
	return map[string][]byte{"config.json": []byte(`{"a":1}`), "model.safetensors": content(3, 500_000),
		"sub/odd name #1 100%?.txt": content(4, 2000), "sub/other.safetensors": content(5, 1000)}
}

func TestAModelIsFetchedAtOneCommitWithAllDigests(t *testing.T) {
	files := tiny()
	hub, cdn := hub(t, files, "*.safetensors")
	dir := t.TempDir()
	got := run(t, map[string]string{"HF_TOKEN": "hf_secret"}, append(fromHub(hub, dir), quick...)...)
	got.expect(t, 0, "4 files", "revision "+commit)
	for name, body := range files {
		expectFile(t, dir, name, body)
	}
	for _, r := range hub.seen() {
		if r.Header.Get("Authorization") != "Bearer hf_secret" {
			t.Errorf("no token for %s", r.URL)
		}
	}
	for _, r := range cdn.seen() {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token went to the CDN")
		}
	}
	if strings.Contains(got.err+got.out, "hf_secret") {
		t.Error("the token is in the log")
	}
	download(t, fromHub(hub, dir, "--revision", "refs/pr/1")...).expect(t, 0, "present model.safetensors", "present config.json")
}

func TestOnlyTheFilesThatAreWantedAreFetched(t *testing.T) {
	hub, _ := hub(t, tiny(), "*.safetensors")
	dir := t.TempDir()
	download(t, fromHub(hub, dir, "--include", "*.safetensors,config.json", "--exclude", "sub/**")...).expect(t, 0, "2 files")
	expectFile(t, dir, "model.safetensors", content(3, 500_000))
	expectNoFile(t, dir, "sub")
	download(t, fromHub(hub, dir, "--include", "*.gguf")...).expect(t, 3, "none of 4 files is wanted")
}

func TestWrongBytesFromAHubAreRefused(t *testing.T) {
	for _, name := range []string{"model.safetensors", "config.json"} {
		files := tiny()
		hub, cdn := hub(t, files, "*.safetensors")
		for sum, body := range cdn.files {
			cdn.files[sum] = content(8, len(body))
		}
		files["config.json"] = []byte(`{"a":2}`)
		dir := t.TempDir()
		download(t, fromHub(hub, dir, "--include", name)...).expect(t, 5, "wrong bytes", name)
		expectNoFile(t, dir, name)
	}
}

func TestAWrongSizeFromAHubIsRefused(t *testing.T) {
	hub, cdn := hub(t, tiny(), "*.safetensors")
	for sum := range cdn.files {
		cdn.files[sum] = content(8, 70_000)
	}
	download(t, fromHub(hub, t.TempDir(), "--include", "model.safetensors")...).expect(t, 5, "wrong size: expected 500000 bytes, the server has 70000")
}

func TestAnAbsentOrGatedModelSaysWhatToDo(t *testing.T) {
	hub, _ := hub(t, tiny())
	dir := t.TempDir()
	args := []string{"--type", "huggingface", "--registry", hub.URL, "--name", "acme/none", "--output-dir", dir}
	download(t, args...).expect(t, 3, "Repository not found", "HF_TOKEN")
	gated := serve(t, nil)
	gated.always(status(403, "X-Error-Code", "GatedRepo", "X-Error-Message", "Access to model is restricted"))
	download(t, fromHub(gated, dir)...).expect(t, 4, "Access to model is restricted", "accept the model's terms")
}

func TestNamesThatLeaveTheFolderAreRefused(t *testing.T) {
	for _, name := range []string{"../evil", "/etc/evil", "a/../../evil", `a\evil`, "", ".downloader/evil", "a//evil", "a\nb"} {
		hub, _ := hub(t, map[string][]byte{"good": []byte("x"), name: []byte("x")})
		dir := t.TempDir()
		download(t, fromHub(hub, filepath.Join(dir, "models"))...).expect(t, 5, "refused the file name")
		expectNoFile(t, dir, "evil")
	}
}

func TestASymbolicLinkInTheWayIsNotFollowed(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	hub, _ := hub(t, map[string][]byte{"sub/file": []byte("x"), "plain": []byte("y")})
	_ = os.Symlink(outside, filepath.Join(dir, "sub"))
	download(t, fromHub(hub, dir, "--include", "sub/*")...).expect(t, 7, "refused to follow a symbolic link")
	expectNoFile(t, outside, "file")
	_ = os.Symlink(filepath.Join(outside, "target"), filepath.Join(dir, "plain"))
	download(t, fromHub(hub, dir, "--include", "plain")...).expect(t, 7, "refused to follow a symbolic link")
	expectNoFile(t, outside, "target")
}
