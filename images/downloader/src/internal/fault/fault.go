// Package fault is the one type for failures a user can expect, each with the exit code it ends in.
// Any other error that reaches the top is a bug and ends in 1.
package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Kind is what went wrong; its number is the exit code.
type Kind int

const (
	Usage     Kind = 2 // flags that make no sense
	NotFound  Kind = 3 // the server has no such model, revision or file
	Auth      Kind = 4 // credentials missing or refused
	Integrity Kind = 5 // wrong bytes, wrong size, a name that leaves the folder
	Network   Kind = 6 // still failing after every retry
	Disk      Kind = 7 // full, read-only, not permitted
	Busy      Kind = 8 // another downloader works in the folder
)

// Error reads as one line "what, where: mend".
type Error struct {
	Kind  Kind
	What  string
	Where string
	Mend  string
	Cause error
}

func (e *Error) Error() string {
	var line strings.Builder
	line.WriteString(e.What)
	if e.Where != "" {
		line.WriteString(", " + e.Where)
	}
	if e.Mend != "" {
		line.WriteString(": " + e.Mend)
	}
	return OneLine(line.String())
}

func (e *Error) Unwrap() error { return e.Cause }

// Usagef is a fault in how the program was called.
func Usagef(mend, format string, args ...any) *Error {
	return &Error{Kind: Usage, What: fmt.Sprintf(format, args...), Mend: mend}
}

// ExitCode gives the exit code an error ends in: 0 for none, 1 for a bug.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if signal, ok := errors.AsType[*SignalError](err); ok {
		return 128 + signal.Number
	}
	if expected, ok := errors.AsType[*Error](err); ok {
		return int(expected.Kind)
	}
	return 1
}

// SignalError is the cause of a context that a signal ended.
type SignalError struct {
	Name   string
	Number int
}

func (e *SignalError) Error() string { return "stopped by " + e.Name }

// Stopped tells whether the context was ended from outside, which is no failure of the work itself.
func Stopped(ctx context.Context) bool { return ctx.Err() != nil }

// OneLine replaces control characters, so that a server's text can't draw on the terminal.
func OneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
