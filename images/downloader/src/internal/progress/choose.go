package progress

import (
	"io"
	"os"
	"syscall"
	"time"
	"unsafe"

	"waybill/downloader/internal/fault"
)

// Choose gives the display for a --progress value and its interval: auto is a bar on a terminal, else plain.
// JSON goes to out, what is for people to err.
func Choose(kind string, out, err io.Writer) (Display, time.Duration, error) {
	if kind == "auto" {
		kind = "plain"
		if columns(err) > 0 {
			kind = "bar"
		}
	}
	switch kind {
	case "bar":
		return Bar{err, func() int { return max(columns(err), 20) }}, 100 * time.Millisecond, nil
	case "plain":
		return Plain{err}, 5 * time.Second, nil
	case "json":
		return JSON{out}, time.Second, nil
	case "none":
		return None{}, time.Hour, nil
	}
	return nil, 0, fault.Usagef("it is auto, bar, plain, json or none", "unknown --progress %q", kind)
}

// None shows nothing.
type None struct{}

func (None) Planned(Snapshot, string)   {}
func (None) File(string, int64, string) {}
func (None) Note(string)                {}
func (None) Tick(Snapshot)              {}
func (None) Done(Snapshot)              {}
func (None) Failed(string, int)         {}

// columns is a terminal's width, 0 where the writer is none.
func columns(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok {
		return 0
	}
	var size struct{ rows, columns, x, y uint16 }
	_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	if failed != 0 {
		return 0
	}
	return int(size.columns)
}
