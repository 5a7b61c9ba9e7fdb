package tests

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// start runs the program as a process of its own, with its errors in the buffer.
func start(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	var errors bytes.Buffer
	command := exec.Command(os.Args[0], args...)
	command.Env = append(os.Environ(), "DOWNLOADER_TEST_AS_PROGRAM=1")
	command.Stderr = &errors
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	return command, &errors
}

func eventually(t *testing.T, what string, true func() bool) {
	t.Helper()
	for until := time.Now().Add(5 * time.Second); !true(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("never: " + what)
		}
	}
}

func TestSIGTERMLeavesAStateToResumeAndExits143(t *testing.T) {
	s, body, dir, args := weights(t, 3_000_000)
	s.next(s.hang(2_000_000))
	process, stderr := start(t, args...)
	eventually(t, "two megabytes on disk", func() bool {
		parts, _ := filepath.Glob(filepath.Join(dir, ".downloader", "*.part"))
		if len(parts) != 1 {
			return false
		}
		info, err := os.Stat(parts[0])
		return err == nil && info.Size() > 1_900_000
	})
	_ = process.Process.Signal(syscall.SIGTERM)
	_ = process.Wait()
	if code := process.ProcessState.ExitCode(); code != 143 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if want := "downloader: stopped by terminated; run again to resume\n"; !bytes.HasSuffix(stderr.Bytes(), []byte(want)) {
		t.Errorf("got %q", stderr)
	}
	expectNoFile(t, dir, "weights.bin")
	s.reset()
	download(t, args...).expect(t, 0)
	expectFile(t, dir, "weights.bin", body)
	if s.bytes() > 1_100_000 {
		t.Errorf("%d bytes sent again", s.bytes())
	}
}

func TestAFailedRunIsResumedByTheNextInItsOpenRangesOnly(t *testing.T) {
	s, body, dir, args := weights(t, 1_000_000)
	args = append(args, "--chunk-size", "100kB", "--threadness", "3")
	s.next(nil, nil, nil, nil)
	s.always(status(500))
	download(t, append(args, "--retries", "0")...).expect(t, 6)
	s.reset()
	download(t, args...).expect(t, 0)
	expectFile(t, dir, "weights.bin", body)
	if s.bytes() > 800_000 { // two ranges at least were whole when the third worker met its end
		t.Errorf("%d bytes sent again", s.bytes())
	}
}

func TestATruncatedPartOrGarbledStateIsNotTrusted(t *testing.T) {
	for what, spoil := range map[string]func(part, state string) error{
		"part":  func(part, _ string) error { return os.Truncate(part, 10) },
		"state": func(_, state string) error { return os.WriteFile(state, []byte("{"), 0o600) },
	} {
		s, body, dir, args := weights(t, 1_000_000)
		s.next(s.cut(500_000))
		s.always(status(500))
		download(t, append(args, "--retries", "1")...).expect(t, 6)
		s.reset()
		parts, _ := filepath.Glob(filepath.Join(dir, ".downloader", "*.part"))
		states, _ := filepath.Glob(filepath.Join(dir, ".downloader", "*.json"))
		if len(parts) != 1 || len(states) != 1 {
			t.Fatal(what, parts, states)
		}
		if err := spoil(parts[0], states[0]); err != nil {
			t.Fatal(err)
		}
		download(t, args...).expect(t, 0)
		expectFile(t, dir, "weights.bin", body)
	}
}

func TestWhatCannotBeProvedTheSameIsNotResumed(t *testing.T) {
	s, body, dir, args := weights(t, 1_000_000)
	s.etags[path] = ""
	s.next(s.cut(500_000))
	s.always(status(500))
	download(t, append(args, "--retries", "1")...).expect(t, 6)
	s.reset()
	download(t, args...).expect(t, 0, "of which 1.0 MB fetched")
	expectFile(t, dir, "weights.bin", body)
}

func TestACompleteFileIsSkippedAfterVerification(t *testing.T) {
	s, body, dir, args := weights(t, 200_000)
	args = append(args, "--sha256", sha(body))
	download(t, args...).expect(t, 0)
	s.reset()
	download(t, args...).expect(t, 0, "present weights.bin")
	if len(s.seen()) != 0 {
		t.Errorf("%d requests for a file that was there", len(s.seen()))
	}
	spoil(t, filepath.Join(dir, "weights.bin"))
	download(t, args...).expect(t, 0, "downloaded weights.bin")
	expectFile(t, dir, "weights.bin", body)
}

func TestWithoutADigestTheServerIsAskedIfTheFileIsCurrent(t *testing.T) {
	s, body, dir, args := weights(t, 200_000)
	download(t, args...).expect(t, 0)
	s.reset()
	download(t, args...).expect(t, 0, "present weights.bin")
	if s.bytes() != 0 || s.seen()[0].Header.Get("If-None-Match") != `"one"` {
		t.Errorf("%d bytes, %v", s.bytes(), s.seen()[0].Header)
	}
	spoil(t, filepath.Join(dir, "weights.bin"))
	download(t, args...).expect(t, 0, "downloaded weights.bin")
	expectFile(t, dir, "weights.bin", body)
	s.files[path], s.etags[path] = content(2, 100), `"two"`
	download(t, args...).expect(t, 0, "downloaded weights.bin")
	expectFile(t, dir, "weights.bin", content(2, 100))
}

func TestQuickBelievesSizeAndTime(t *testing.T) {
	_, body, dir, args := weights(t, 1000)
	args = append(args, "--sha256", sha(body), "--verify", "quick")
	download(t, args...).expect(t, 0)
	file := filepath.Join(dir, "weights.bin")
	spoil(t, file)
	download(t, args...).expect(t, 0, "downloaded")
	info, _ := os.Stat(file)
	spoil(t, file)
	_ = os.Chtimes(file, info.ModTime(), info.ModTime())
	download(t, args...).expect(t, 0, "present")
}

// spoil changes a byte and leaves the size.
func spoil(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	one := make([]byte, 1)
	_, _ = io.ReadFull(f, one)
	_, _ = f.WriteAt([]byte{one[0] ^ 1}, 0)
}

func TestTwoDownloadersDoNotWorkInOneFolder(t *testing.T) {
	s, body, dir, args := weights(t, 1_000_000)
	s.next(s.hang(500_000))
	first, _ := start(t, args...)
	eventually(t, "the first has asked", func() bool { return len(s.seen()) == 1 })
	download(t, args...).expect(t, 8, "another downloader is at work", "--lock-wait")
	time.AfterFunc(200*time.Millisecond, func() { _ = first.Process.Kill() })
	download(t, append(args, "--lock-wait", "10s")...).expect(t, 0, "waiting for another downloader")
	expectFile(t, dir, "weights.bin", body)
}

func TestHealthcheckTellsIfADownloadHasFinishedAndStillStands(t *testing.T) {
	_, _, dir, args := weights(t, 1000)
	check := func(more ...string) result {
		return run(t, nil, append([]string{"healthcheck", "--output-dir", dir}, more...)...)
	}
	check().expect(t, 3, "no finished download")
	download(t, args...).expect(t, 0)
	check().expect(t, 0)
	check("--verify", "full").expect(t, 0)
	spoil(t, filepath.Join(dir, "weights.bin"))
	check().expect(t, 0)
	check("--verify", "full").expect(t, 5, "other bytes than were downloaded")
	_ = os.Truncate(filepath.Join(dir, "weights.bin"), 10)
	check().expect(t, 5, "10 bytes instead of 1000")
	download(t, append(args, "--name", "absent")...).expect(t, 3)
	check().expect(t, 3, "no finished download")
}
