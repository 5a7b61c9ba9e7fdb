// Package mode picks what an image does when it starts, by one rule for all images of this repo:
// the first argument, else WAYBILL_MODE, else the image's default.
package mode

import (
	"fmt"
	"strings"
)

// Variable is the environment variable that picks a mode when no argument does.
const Variable = "WAYBILL_MODE"

// Mode is one thing an image can do.
type Mode struct {
	Name    string
	Summary string
	// Run takes the arguments after the mode's name and gives the exit code.
	Run func(args []string) int
}

// UnknownError says which word is no mode, where it came from and which modes there are.
type UnknownError struct {
	Name  string
	From  string
	Known []string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("unknown mode %q, %s: the modes are %s", e.Name, e.From, strings.Join(e.Known, ", "))
}

// Pick gives the mode to run and the arguments left for it. The first of modes is the default.
// An argument that starts with "-" is a flag of the mode, never a mode. The error is an *UnknownError.
func Pick(args []string, getenv func(string) string, modes []Mode) (Mode, []string, error) {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		picked, err := find(args[0], "first argument", modes)
		return picked, args[1:], err
	}
	if name := getenv(Variable); name != "" {
		picked, err := find(name, Variable, modes)
		return picked, args, err
	}
	return modes[0], args, nil
}

func find(name, from string, modes []Mode) (Mode, error) {
	known := make([]string, 0, len(modes))
	for _, m := range modes {
		if m.Name == name {
			return m, nil
		}
		known = append(known, m.Name)
	}
	return Mode{}, &UnknownError{Name: name, From: from, Known: known}
}
