// Package cli is the program as called: its modes, and what it prints and exits with.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"waybill/mode"
	"waybill/oidc-proxy/internal/options"
	"waybill/oidc-proxy/internal/probe"
)

// Exit codes.
const (
	exitFailed = 1 // it can't start, or broke off
	exitUsage  = 2 // the command line makes no sense
)

// Main runs a mode and gives the exit code.
func Main(args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	// From the first moment on, so that a signal while starting is not lost.
	stopping, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	picked, rest, err := mode.Pick(args, getenv, []mode.Mode{
		{Name: "serve", Run: func(args []string) int { return serve(stopping, args, stdout, stderr) }},
		{Name: "healthcheck", Run: func(args []string) int { return healthcheck(stopping, args, stderr) }},
		{Name: "version", Run: func([]string) int { return version(stdout) }},
	})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	return picked.Run(rest)
}

func healthcheck(ctx context.Context, args []string, stderr io.Writer) int {
	address, port, err := options.Probe(args)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	if err := probe.Ask(ctx, address, port); err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	return 0
}

// version names what decides about tokens and connections: the compiler's and the libraries' versions.
func version(out io.Writer) int {
	fmt.Fprintln(out, "oidc-proxy of Waybill, built by", runtime.Version())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			fmt.Fprintln(out, " ", module.Path, module.Version)
		}
	}
	return 0
}
