package progress

import (
	"fmt"
	"io"
	"strings"

	"waybill/downloader/internal/store"
)

const barWidth = 24 // cells

// Bar redraws one line of a terminal; finished files scroll above it.
type Bar struct {
	Out   io.Writer
	Width func() int // columns of the terminal
}

const clearLine = "\r\x1b[2K"

func (b Bar) Planned(s Snapshot, revision string) { Plain{b.Out}.Planned(s, revision) }
func (b Bar) Note(line string)                    { fmt.Fprint(b.Out, clearLine, line, "\n") }
func (b Bar) Failed(string, int)                  { fmt.Fprint(b.Out, clearLine) }

func (b Bar) File(path string, size int64, how string) {
	b.Note(fmt.Sprintf("%s %s (%s)", how, path, store.Size(size)))
}

func (b Bar) Done(s Snapshot) {
	fmt.Fprint(b.Out, clearLine)
	Plain{b.Out}.Done(s)
}

func (b Bar) Tick(s Snapshot) {
	line := standing(s)
	if s.Bytes > 0 {
		full := int(min(barWidth*s.BytesDone/s.Bytes, barWidth))
		line = strings.Repeat("█", full) + strings.Repeat("░", barWidth-full) + " " + line
	}
	if cells := []rune(line); len(cells) >= b.Width() {
		line = string(cells[:max(b.Width()-1, 0)])
	}
	fmt.Fprint(b.Out, clearLine, line)
}
