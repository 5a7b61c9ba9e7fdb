package options

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Probe gives where the health check finds the probe: as its own flags say, else as those of the container's
// first process do, where that is this program, else at the defaults. HEALTHCHECK knows no flags of a run.
func Probe(args []string) (address string, port int, err error) {
	if len(args) == 0 {
		args = firstProcess("/proc/1/cmdline")
	}
	o := &Options{}
	set := o.flags()
	set.SetOutput(io.Discard)
	if err := set.Parse(args); err != nil && err != flag.ErrHelp {
		return "", 0, err
	}
	return o.BindAddress, o.ProbePort, nil
}

// firstProcess gives the flags of the process, none where it is another program.
func firstProcess(file string) []string {
	line, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var args []string
	for _, arg := range bytes.Split(bytes.TrimSuffix(line, []byte{0}), []byte{0}) {
		args = append(args, string(arg))
	}
	own, err := os.Executable()
	if err != nil || filepath.Base(args[0]) != filepath.Base(own) {
		return nil
	}
	args = args[1:]
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		args = args[1:]
	}
	return args
}
