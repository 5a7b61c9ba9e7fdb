package tests

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const path = "/m/weights.bin"

// weights serves one file and gives the arguments that fetch it into a fresh folder.
func weights(t *testing.T, n int) (s *server, body []byte, dir string, args []string) {
	body = content(1, n)
	s = serve(t, map[string][]byte{path: body})
	dir = t.TempDir()
	return s, body, dir, []string{"--type", "http", "--registry", s.URL + "/m", "--name", "weights.bin", "--output-dir", dir}
}

func TestAFileIsFetchedVerifiedAndPutInPlace(t *testing.T) {
	_, body, dir, args := weights(t, 300_000)
	download(t, append(args, "--sha256", sha(body))...).expect(t, 0, "downloaded weights.bin (300.0 kB)", "done: 1 files")
	expectFile(t, dir, "weights.bin", body)
}

func TestAnEmptyFileIsAFile(t *testing.T) {
	_, body, dir, args := weights(t, 0)
	download(t, args...).expect(t, 0)
	expectFile(t, dir, "weights.bin", body)
}

func TestDroppedConnectionsAreResumedByRangeAndIfRange(t *testing.T) {
	s, body, dir, args := weights(t, 2_000_000)
	s.next(s.cut(700_000), s.cut(900_000))
	download(t, args...).expect(t, 0, "the connection ended early; trying again")
	expectFile(t, dir, "weights.bin", body)
	if s.bytes() > 2_000_000 {
		t.Errorf("%d bytes sent for a file of 2,000,000", s.bytes())
	}
	last := s.seen()[2].Header
	if last.Get("If-Range") != `"one"` || !strings.HasPrefix(last.Get("Range"), "bytes=1600000-") {
		t.Errorf("resumed with %v", last)
	}
}

func TestMoreDropsThanRetriesAreBorneWhileBytesArrive(t *testing.T) {
	s, body, dir, args := weights(t, 1_000_000)
	for range 9 {
		s.next(s.cut(100_000))
	}
	download(t, append(args, "--retries", "2")...).expect(t, 0)
	expectFile(t, dir, "weights.bin", body)
}

func TestALargeFileIsFetchedInParallelRangesWithinThreadness(t *testing.T) {
	s, body, dir, args := weights(t, 4_000_000)
	slow := func(w http.ResponseWriter, r *http.Request) { time.Sleep(5 * time.Millisecond); s.good(w, r) }
	s.always(slow)
	download(t, append(args, "--chunk-size", "100kB", "--threadness", "4", "--sha256", sha(body))...).expect(t, 0)
	expectFile(t, dir, "weights.bin", body)
	if s.top != 4 || len(s.seen()) != 40 || s.bytes() != len(body) {
		t.Errorf("%d at a time, %d requests, %d bytes", s.top, len(s.seen()), s.bytes())
	}
}

func TestAServerThatIgnoresRangesIsReadFromTheStart(t *testing.T) {
	s, body, dir, args := weights(t, 900_000)
	s.next(s.noRanges(500_000), s.noRanges(-1))
	download(t, append(args, "--chunk-size", "100kB")...).expect(t, 0)
	expectFile(t, dir, "weights.bin", body)
}

func TestAServerThatAlwaysDropsAtTheSameByteIsGivenUp(t *testing.T) {
	s, _, dir, args := weights(t, 900_000)
	s.always(s.noRanges(500_000))
	download(t, append(args, "--retries", "3")...).expect(t, 6, "gave up after")
	expectNoFile(t, dir, "weights.bin")
	if len(s.seen()) > 6 {
		t.Errorf("%d requests", len(s.seen()))
	}
}

func TestAServerThatStopsHonouringRangesHalfWay(t *testing.T) {
	s, body, dir, args := weights(t, 1_000_000)
	s.next(nil, nil, s.noRanges(-1), s.noRanges(-1), s.noRanges(-1))
	download(t, append(args, "--chunk-size", "100kB")...).expect(t, 0, "stopped honouring ranges; starting it over")
	expectFile(t, dir, "weights.bin", body)
}

func TestAChangedFileIsFetchedAnewNotMixed(t *testing.T) {
	s, _, dir, args := weights(t, 1_000_000)
	fresh := content(2, 1_000_000)
	change := func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.files[path], s.etags[path] = fresh, `"two"`
		s.mu.Unlock()
		s.good(w, r)
	}
	s.next(s.cut(400_000), change)
	download(t, args...).expect(t, 0, "the file changed on the server; starting it over")
	expectFile(t, dir, "weights.bin", fresh)
}

func TestAChangedFileIsNoticedEvenIfTheServerIgnoresIfRange(t *testing.T) {
	s, _, dir, args := weights(t, 1_000_000)
	fresh := content(2, 1_000_000)
	s.next(s.cut(400_000), func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.files[path], s.etags[path] = fresh, `"two"`
		s.mu.Unlock()
		r.Header.Del("If-Range")
		s.good(w, r)
	})
	download(t, args...).expect(t, 0, "the file changed on the server")
	expectFile(t, dir, "weights.bin", fresh)
}

func TestALengthThatIsNeverReachedEndsInANetworkFault(t *testing.T) {
	s, body, dir, args := weights(t, 100_000)
	s.always(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "150000")
		_, _ = w.Write(body)
	})
	download(t, append(args, "--retries", "2")...).expect(t, 6, "the connection ended early", "run again to resume")
	expectNoFile(t, dir, "weights.bin")
}

func TestALengthThatIsTooShortIsCaughtByTheDigest(t *testing.T) {
	s, body, dir, args := weights(t, 100_000)
	s.always(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "90000")
		_, _ = w.Write(body[:90_000])
	})
	download(t, append(args, "--sha256", sha(body))...).expect(t, 5, "wrong bytes")
	expectNoFile(t, dir, "weights.bin")
}

func TestWrongBytesAreTriedTwiceAndNeverPutInPlace(t *testing.T) {
	s, _, dir, args := weights(t, 100_000)
	download(t, append(args, "--sha256", sha([]byte("other")))...).expect(t, 5, "wrong bytes: expected sha256:", "nothing was put in place")
	expectNoFile(t, dir, "weights.bin")
	if len(s.seen()) != 2 {
		t.Errorf("%d requests", len(s.seen()))
	}
}

func TestWrongBytesOnceAreMended(t *testing.T) {
	s, body, dir, args := weights(t, 100_000)
	s.next(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content(9, 100_000)) })
	download(t, append(args, "--sha256", sha(body))...).expect(t, 0, "starting it over")
	expectFile(t, dir, "weights.bin", body)
}

func TestRetryAfterIsObeyed(t *testing.T) {
	s, body, dir, args := weights(t, 1000)
	s.next(status(429, "Retry-After", "1"))
	started := time.Now()
	download(t, args...).expect(t, 0, "HTTP 429; trying again in 1s")
	expectFile(t, dir, "weights.bin", body)
	if waited := time.Since(started); waited < time.Second {
		t.Errorf("waited %s", waited)
	}
}

func TestSilenceIsAFailedTry(t *testing.T) {
	s, body, dir, args := weights(t, 500_000)
	s.next(s.hang(0), s.hang(200_000))
	args = append(args, "--retry-wait", "1ms", "--timeout", "150ms")
	run(t, nil, args...).expect(t, 0, "went silent")
	expectFile(t, dir, "weights.bin", body)
	if s.bytes() > 500_000 {
		t.Errorf("%d bytes sent", s.bytes())
	}
}

func TestRefusalsHaveTheirExitCodes(t *testing.T) {
	for _, c := range []struct {
		status, code int
		words        string
	}{
		{404, 3, "HTTP 404"}, {410, 3, "HTTP 410"}, {401, 4, "set DOWNLOADER_TOKEN"}, {403, 4, "HTTP 403"},
		{503, 6, "gave up after 2 failures"}, {400, 6, "HTTP 400"},
	} {
		s, _, dir, args := weights(t, 10)
		s.always(status(c.status))
		download(t, append(args, "--retries", "1")...).expect(t, c.code, c.words)
		expectNoFile(t, dir, "weights.bin")
	}
	download(t, "--type", "http", "--registry", "http://127.0.0.1:1", "--name", "x", "--output-dir", t.TempDir(), "--retries", "1").
		expect(t, 6, "connection refused")
}

func TestCredentialsDoNotFollowARedirectToAnotherOrigin(t *testing.T) {
	body := content(1, 1000)
	elsewhere := serve(t, map[string][]byte{"/blob": body})
	s, _, dir, args := weights(t, 10)
	s.next(status(302, "Location", "/moved"), status(307, "Location", elsewhere.URL+"/blob?signature=x"))
	run(t, map[string]string{"DOWNLOADER_TOKEN": "secret"}, append(args, quick...)...).expect(t, 0)
	expectFile(t, dir, "weights.bin", body)
	for i, r := range s.seen() {
		if r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("request %d at home had no token", i)
		}
	}
	if leaked := elsewhere.seen()[0].Header.Get("Authorization"); leaked != "" {
		t.Errorf("leaked %q", leaked)
	}
}

func TestAnExpiredSignedAddressIsAskedForAgain(t *testing.T) {
	body := content(1, 1000)
	elsewhere := serve(t, map[string][]byte{"/blob": body})
	elsewhere.next(status(403))
	s, _, dir, args := weights(t, 10)
	s.always(status(302, "Location", elsewhere.URL+"/blob"))
	download(t, args...).expect(t, 0)
	expectFile(t, dir, "weights.bin", body)
}

func TestARedirectCircleEnds(t *testing.T) {
	s, _, _, args := weights(t, 10)
	s.always(status(302, "Location", "/again"))
	download(t, args...).expect(t, 6, "more than 10 redirects")
}

func TestBytesFromBeforeARestartInOneStreamAreNotHashed(t *testing.T) {
	s, body, dir, args := weights(t, 900_000)
	s.etags[path] = ""
	s.next(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "900000")
		_, _ = (&cutter{w, 500_000}).Write(content(9, 900_000))
	}, s.noRanges(-1))
	download(t, args...).expect(t, 0)
	expectFile(t, dir, "weights.bin", body)
	run(t, nil, "healthcheck", "--output-dir", dir, "--verify", "full").expect(t, 0)
}
