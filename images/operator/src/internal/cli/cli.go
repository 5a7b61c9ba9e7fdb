// Package cli is the program as called: its modes, and what it prints and exits with.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"

	"waybill/kaos/crds"
	"waybill/mode"
)

// Exit codes.
const (
	exitFailed = 1 // it can't start, or broke off
	exitUsage  = 2 // the command line makes no sense
)

// program is what a mode may use of the outside.
type program struct {
	stopping    context.Context
	getenv      func(string) string
	out, errors io.Writer
}

// Main runs a mode and gives the exit code.
func Main(args []string, getenv func(string) string, out, errors io.Writer) int {
	// From the first moment on, so that a signal while starting is not lost.
	stopping, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := program{stopping: stopping, getenv: getenv, out: out, errors: errors}
	picked, rest, err := mode.Pick(args, getenv, []mode.Mode{
		{Name: "manager", Run: p.manager},
		{Name: "explorer", Run: p.explorer},
		{Name: "crds", Run: p.crds},
		{Name: "healthcheck", Run: p.healthcheck},
		{Name: "version", Run: p.version},
	})
	if err != nil {
		return p.fail(err, exitUsage)
	}
	return picked.Run(rest)
}

func (p program) fail(err error, code int) int {
	fmt.Fprintln(p.errors, "operator:", err)
	return code
}

// parse reads the flags of a mode, which takes no other arguments. Where it is not ok, code is what to exit with.
func (p program) parse(flags *flag.FlagSet, args []string) (code int, ok bool) {
	flags.SetOutput(p.errors)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0, false
	}
	if err != nil {
		return exitUsage, false
	}
	if flags.NArg() > 0 {
		return p.fail(fmt.Errorf("%s takes no argument %q", flags.Name(), flags.Arg(0)), exitUsage), false
	}
	return 0, true
}

// crds prints what `kubectl apply --server-side -f -` takes.
func (p program) crds(args []string) int {
	if code, ok := p.parse(flag.NewFlagSet("crds", flag.ContinueOnError), args); !ok {
		return code
	}
	names, err := fs.Glob(crds.Files, "*.yaml")
	if err != nil {
		return p.fail(err, exitFailed)
	}
	for _, name := range slices.Sorted(slices.Values(names)) {
		text, err := crds.Files.ReadFile(name)
		if err != nil {
			return p.fail(err, exitFailed)
		}
		fmt.Fprintf(p.out, "%s", text)
	}
	return 0
}

// version names what decides about behaviour: the compiler's and the libraries' versions.
func (p program) version([]string) int {
	fmt.Fprintln(p.out, "operator of Waybill, built by", runtime.Version())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			fmt.Fprintln(p.out, " ", module.Path, module.Version)
		}
	}
	return 0
}
