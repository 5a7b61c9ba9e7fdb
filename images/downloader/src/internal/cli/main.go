// Package cli is the program's face: modes, flags, signals, exit codes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"waybill/downloader/internal/fault"
	"waybill/mode"
)

// program is what a mode may use of the outside.
type program struct {
	getenv func(string) string
	in     io.Reader
	out    io.Writer
	err    io.Writer
}

// Main runs the mode that the arguments or the environment pick and gives the exit code.
func Main(args []string, getenv func(string) string, out, err io.Writer) int {
	p := program{getenv: getenv, in: os.Stdin, out: out, err: err}
	modes := []mode.Mode{
		{Name: "download", Summary: "fetch a model, an artefact or files (the default)", Run: p.download},
		{Name: "healthcheck", Summary: "tell whether a folder holds a finished download", Run: p.healthcheck},
		{Name: "version", Summary: "tell what this program is", Run: p.version},
	}
	picked, rest, unknown := mode.Pick(args, getenv, modes)
	if unknown != nil {
		return p.fail(&fault.Error{Kind: fault.Usage, What: unknown.Error()})
	}
	return picked.Run(rest)
}

// fail prints an error as one line and gives its exit code. --help is no error.
func (p program) fail(err error) int {
	if errors.Is(err, errHelp) {
		return 0
	}
	fmt.Fprintln(p.err, "downloader: "+lineOf(err))
	return fault.ExitCode(err)
}

func lineOf(err error) string {
	text := fault.OneLine(err.Error())
	if _, stopped := errors.AsType[*fault.SignalError](err); stopped {
		return text + "; run again to resume"
	}
	if fault.ExitCode(err) == 1 {
		return "a bug in this program: " + text
	}
	return text
}

// stoppable gives a context that the first SIGTERM, SIGINT or SIGHUP ends; a second one kills at once.
func stoppable() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		if first, ok := (<-signals).(syscall.Signal); ok {
			cancel(&fault.SignalError{Name: first.String(), Number: int(first)})
			if second, ok := (<-signals).(syscall.Signal); ok {
				os.Exit(128 + int(second))
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); close(signals); cancel(nil) }
}
