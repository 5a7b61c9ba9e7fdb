package progress

import (
	"fmt"
	"io"
	"time"

	"waybill/downloader/internal/store"
)

// Plain writes a line for each event, for logs. Failures are left to the caller's own line on stderr.
type Plain struct{ Out io.Writer }

func (p Plain) Planned(s Snapshot, revision string) {
	line := fmt.Sprintf("%d files", s.Files)
	if s.Bytes > 0 {
		line += ", " + store.Size(s.Bytes)
	}
	if revision != "" {
		line += ", revision " + revision
	}
	fmt.Fprintln(p.Out, line)
}

func (p Plain) File(path string, size int64, how string) {
	fmt.Fprintf(p.Out, "%s %s (%s)\n", how, path, store.Size(size))
}

func (p Plain) Note(line string) { fmt.Fprintln(p.Out, line) }
func (p Plain) Tick(s Snapshot)  { fmt.Fprintln(p.Out, standing(s)) }

func (p Plain) Done(s Snapshot) {
	fmt.Fprintf(p.Out, "done: %d files, %s, of which %s fetched, in %s\n",
		s.FilesDone, store.Size(s.BytesDone), store.Size(s.Fetched), s.Elapsed.Round(time.Millisecond))
}

func (p Plain) Failed(string, int) {}

// standing is "3/12 files, 1.2 GB of 5.0 GB (24 %), 80.1 MB/s, 48s left".
func standing(s Snapshot) string {
	line := fmt.Sprintf("%d/%d files, %s", s.FilesDone, s.Files, store.Size(s.BytesDone))
	if s.Bytes > 0 {
		line += fmt.Sprintf(" of %s (%d %%)", store.Size(s.Bytes), s.BytesDone*100/s.Bytes)
	}
	perSecond := int64(float64(s.Fetched) / max(s.Elapsed.Seconds(), 0.001))
	line += ", " + store.Size(perSecond) + "/s"
	if left := s.Bytes - s.BytesDone; left > 0 && perSecond > 0 {
		line += fmt.Sprintf(", %s left", time.Duration(left/perSecond)*time.Second)
	}
	return line
}
