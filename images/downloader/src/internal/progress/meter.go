// Package progress counts what arrives and shows it: a bar on a terminal, plain lines, or JSON.
package progress

import (
	"sync"
	"time"
)

// Snapshot is where a run stands. Bytes on disk from an earlier run count as done but not as fetched.
type Snapshot struct {
	Files     int           `json:"files"`
	FilesDone int           `json:"filesDone"`
	Bytes     int64         `json:"bytes"` // 0 while no size is known
	BytesDone int64         `json:"bytesDone"`
	Fetched   int64         `json:"bytesFetched"`
	Elapsed   time.Duration `json:"-"`
}

// Display draws. The meter calls it from one goroutine at a time.
type Display interface {
	Planned(s Snapshot, revision string)
	File(path string, size int64, how string)
	Note(line string)
	Tick(s Snapshot)
	Done(s Snapshot)
	Failed(line string, exitCode int)
}

// Meter is safe for concurrent use.
type Meter struct {
	mu      sync.Mutex
	now     Snapshot
	started time.Time
	display Display
	quit    chan struct{}
	stopped sync.WaitGroup
}

// New starts a meter that ticks its display at the interval.
func New(display Display, every time.Duration) *Meter {
	m := &Meter{display: display, started: time.Now(), quit: make(chan struct{})}
	m.stopped.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				m.show(func(s Snapshot) { display.Tick(s) })
			case <-m.quit:
				return
			}
		}
	})
	return m
}

// Planned says how much there is to do.
func (m *Meter) Planned(files int, bytes int64, revision string) {
	m.change(func(s *Snapshot) { s.Files, s.Bytes = files, bytes })
	m.show(func(s Snapshot) { m.display.Planned(s, revision) })
}

// Present counts a file that needed no download; planned is the size the plan counted, negative for none.
func (m *Meter) Present(path string, size, planned int64) {
	m.change(func(s *Snapshot) {
		s.FilesDone++
		s.BytesDone += size
		s.Bytes += unplanned(size, planned)
	})
	m.show(func(Snapshot) { m.display.File(path, size, "present") })
}

// Resume counts bytes that an earlier run left.
func (m *Meter) Resume(got, size, planned int64) {
	m.change(func(s *Snapshot) {
		s.BytesDone += got
		s.Bytes += unplanned(size, planned)
	})
}

func unplanned(size, planned int64) int64 {
	if planned < 0 {
		return max(size, 0)
	}
	return 0
}

// Expect adds a size that only the server's answer told.
func (m *Meter) Expect(bytes int64) { m.change(func(s *Snapshot) { s.Bytes += bytes }) }

// Add counts bytes that arrived.
func (m *Meter) Add(bytes int64) {
	m.change(func(s *Snapshot) { s.BytesDone += bytes; s.Fetched += bytes })
}

// Forget takes bytes back that have to be fetched again.
func (m *Meter) Forget(bytes int64) { m.change(func(s *Snapshot) { s.BytesDone -= bytes }) }

// Finished counts a file that was downloaded.
func (m *Meter) Finished(path string, size int64) {
	m.change(func(s *Snapshot) { s.FilesDone++ })
	m.show(func(Snapshot) { m.display.File(path, size, "downloaded") })
}

// Note shows a line on something that went wrong and is being mended.
func (m *Meter) Note(line string) { m.show(func(Snapshot) { m.display.Note(line) }) }

// Done ends the meter with a summary.
func (m *Meter) Done() {
	m.stop()
	m.show(m.display.Done)
}

// Failed ends the meter with the one line of the failure.
func (m *Meter) Failed(line string, exitCode int) {
	m.stop()
	m.show(func(Snapshot) { m.display.Failed(line, exitCode) })
}

func (m *Meter) stop() {
	close(m.quit)
	m.stopped.Wait()
}

func (m *Meter) change(by func(s *Snapshot)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	by(&m.now)
}

// show holds the lock while drawing: lines never mix.
func (m *Meter) show(draw func(s Snapshot)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Elapsed = time.Since(m.started)
	draw(m.now)
}
