package tests

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// registry is the pulling half of the distribution spec, behind a token server of its own.
type registry struct {
	*server
	realm  *server
	digest string // of the artefact's manifest
}

func blobOf(body []byte) string { return "/v2/team/model/blobs/sha256:" + sha(body) }

func layer(title string, body []byte) map[string]any {
	return map[string]any{"mediaType": "application/octet-stream", "digest": "sha256:" + sha(body), "size": len(body),
		"annotations": map[string]string{"org.opencontainers.image.title": title}}
}

// artefact serves the layers as team/model:1, and as the linux/amd64 of the index team/model:multi.
func artefact(t *testing.T, layers ...map[string]any) *registry {
	manifest, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": layers})
	index, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []any{
		map[string]any{"digest": "sha256:" + strings.Repeat("0", 64), "platform": map[string]string{"os": "linux", "architecture": "s390x"}},
		map[string]any{"digest": "sha256:" + sha(manifest), "platform": map[string]string{"os": "linux", "architecture": "amd64"}},
	}})
	r := &registry{server: serve(t, map[string][]byte{}), realm: serve(t, nil), digest: "sha256:" + sha(manifest)}
	for _, version := range []string{"1", "latest", r.digest} {
		r.files["/v2/team/model/manifests/"+version] = manifest
	}
	r.files["/v2/team/model/manifests/multi"] = index
	return r
}

func (r *registry) with(bodies ...[]byte) *registry {
	for _, body := range bodies {
		r.files[blobOf(body)] = body
	}
	return r
}

// guarded asks for a token that realm gives to anyone, or only to alice where login is set.
func (r *registry) guarded(login bool) *registry {
	r.realm.always(func(w http.ResponseWriter, q *http.Request) {
		user, password, _ := q.BasicAuth()
		if login && (user != "alice" || password != "pw:1") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"token":%q}`, "for "+q.URL.Query().Get("scope"))
	})
	r.always(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Authorization") != "Bearer for repository:team/model:pull" {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="here"`, r.realm.URL))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.good(w, q)
	})
	return r
}

func (r *registry) args(dir string, more ...string) []string {
	return append([]string{"--type", "oci", "--registry", r.URL, "--name", "team/model:1", "--output-dir", dir}, more...)
}

// loggedIn is an environment with a docker config for the hosts.
func loggedIn(t *testing.T, hosts ...string) map[string]string {
	dir := t.TempDir()
	auths := map[string]any{}
	for _, host := range hosts {
		u, _ := url.Parse(host)
		auths[u.Host] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte("alice:pw:1"))}
	}
	text, _ := json.Marshal(map[string]any{"auths": auths})
	_ = os.WriteFile(filepath.Join(dir, "config.json"), text, 0o600)
	return map[string]string{"DOCKER_CONFIG": dir}
}

func TestAnArtefactsTitledLayersBecomeFiles(t *testing.T) {
	weights, config := content(1, 600_000), content(2, 300)
	r := artefact(t, layer("weights.gguf", weights), layer("conf/config.json", config), map[string]any{"digest": "sha256:00", "size": 1}).with(weights, config)
	dir := t.TempDir()
	download(t, r.args(dir, "--chunk-size", "100kB")...).expect(t, 0, "2 files", "revision "+r.digest)
	expectFile(t, dir, "weights.gguf", weights)
	expectFile(t, dir, "conf/config.json", config)
	download(t, r.args(dir, "--revision", r.digest)...).expect(t, 0, "present weights.gguf")
	host := strings.TrimPrefix(r.URL, "http://")
	download(t, "--type", "oci", "--name", host+"/team/model:1", "--plain-http", "--output-dir", dir).expect(t, 0, "present weights.gguf")
	download(t, "--type", "oci", "--registry", host+"/team", "--name", "model", "--plain-http", "--output-dir", dir).expect(t, 0, "present weights.gguf")
}

func TestAnIndexIsChosenFromByPlatform(t *testing.T) {
	body := content(1, 1000)
	r := artefact(t, layer("file", body)).with(body)
	dir := t.TempDir()
	download(t, r.args(dir, "--revision", "multi", "--platform", "linux/amd64")...).expect(t, 0, r.digest)
	expectFile(t, dir, "file", body)
	download(t, r.args(dir, "--revision", "multi", "--platform", "linux/riscv64")...).expect(t, 3, "nothing for linux/riscv64", "linux/s390x, linux/amd64")
}

func TestATokenIsFetchedAnonymouslyOrWithTheLogin(t *testing.T) {
	body := content(1, 1000)
	r := artefact(t, layer("file", body)).with(body).guarded(false)
	dir := t.TempDir()
	download(t, r.args(dir)...).expect(t, 0)
	expectFile(t, dir, "file", body)
	if len(r.realm.seen()) != 1 {
		t.Errorf("%d tokens fetched", len(r.realm.seen()))
	}

	r = artefact(t, layer("file", body)).with(body).guarded(true)
	realm, _ := url.Parse(r.realm.URL)
	env := loggedIn(t, r.URL)
	run(t, env, append(r.args(t.TempDir(), "--auth-realm", realm.Host), quick...)...).expect(t, 0)
	download(t, r.args(t.TempDir())...).expect(t, 4, "HTTP 401")
}

func TestTheLoginIsNotShownToAForeignRealm(t *testing.T) {
	r := artefact(t).guarded(true)
	run(t, loggedIn(t, r.URL), append(r.args(t.TempDir()), quick...)...).expect(t, 4, "the registry wants its login sent to", "--auth-realm 127.0.0.1:")
	if len(r.realm.seen()) != 0 {
		t.Error("the realm was asked")
	}
}

func TestBasicAuthAndNoLeakToTheBlobStore(t *testing.T) {
	body := content(1, 1000)
	r, store := artefact(t, layer("file", body)), serve(t, map[string][]byte{"/b": body})
	r.always(func(w http.ResponseWriter, q *http.Request) {
		if user, password, _ := q.BasicAuth(); user != "alice" || password != "pw:1" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		} else if strings.Contains(q.URL.Path, "/blobs/") {
			http.Redirect(w, q, store.URL+"/b", http.StatusTemporaryRedirect)
		} else {
			r.good(w, q)
		}
	})
	dir := t.TempDir()
	run(t, loggedIn(t, r.URL), append(r.args(dir), quick...)...).expect(t, 0)
	expectFile(t, dir, "file", body)
	if store.seen()[0].Header.Get("Authorization") != "" {
		t.Error("the login went to the blob store")
	}
	run(t, loggedIn(t, "http://other:5000"), append(r.args(t.TempDir()), quick...)...).expect(t, 4, "docker login")
}

func TestATokenThatEndsIsRenewed(t *testing.T) {
	body := content(1, 300_000)
	r := artefact(t, layer("file", body)).with(body)
	issued := 0
	r.realm.always(func(w http.ResponseWriter, _ *http.Request) {
		issued++
		fmt.Fprintf(w, `{"access_token":"t%d"}`, issued)
	})
	served := 0
	r.always(func(w http.ResponseWriter, q *http.Request) {
		if served++; q.Header.Get("Authorization") == "" || q.Header.Get("Authorization") == "Bearer t1" && served > 2 {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="here"`, r.realm.URL))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.good(w, q)
	})
	dir := t.TempDir()
	download(t, r.args(dir, "--threadness", "1")...).expect(t, 0)
	expectFile(t, dir, "file", body)
	if issued != 2 {
		t.Errorf("%d tokens", issued)
	}
}

func TestWhatARegistryGetsWrongIsRefused(t *testing.T) {
	body := content(1, 1000)
	dir := t.TempDir()

	r := artefact(t, layer("file", body))
	r.files[blobOf(body)] = content(7, 1000)
	download(t, r.args(dir)...).expect(t, 5, "wrong bytes")

	r = artefact(t, layer("file", body)).with(body)
	r.files["/v2/team/model/manifests/"+r.digest] = []byte(`{"layers":[]}`)
	download(t, r.args(dir, "--revision", r.digest)...).expect(t, 5, "wrong manifest")

	other := artefact(t, layer("other", body))
	r.files["/v2/team/model/manifests/1"] = other.files["/v2/team/model/manifests/1"]
	r.always(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Docker-Content-Digest", r.digest)
		r.good(w, q)
	})
	download(t, r.args(dir)...).expect(t, 5, "wrong manifest")

	download(t, artefact(t, layer("../file", body)).with(body).args(dir)...).expect(t, 5, "refused the file name")
	download(t, artefact(t, layer("file", body), layer("file", content(2, 5))).args(dir)...).expect(t, 5, "two different files are named")
	download(t, artefact(t, map[string]any{"digest": "sha256:" + sha(body), "size": 3}).args(dir)...).expect(t, 3, "no layer has a title")
	download(t, artefact(t).args(dir, "--revision", "absent")...).expect(t, 3, "HTTP 404")
	expectNoFile(t, dir, "file")
}

func TestADiskThatIsTooSmallIsSaidBeforeTheFirstByte(t *testing.T) {
	huge := layer("file", []byte("x"))
	huge["size"] = int64(1) << 60
	r := artefact(t, huge)
	download(t, r.args(t.TempDir())...).expect(t, 7, "no space left: 1152921.5 TB needed", "larger volume")
	if len(r.seen()) != 1 {
		t.Errorf("%d requests", len(r.seen()))
	}
}
