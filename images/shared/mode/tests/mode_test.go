package tests

import (
	"slices"
	"testing"

	"waybill/mode"
)

var modes = []mode.Mode{{Name: "download"}, {Name: "version"}}

func TestTheArgumentWinsOverTheEnvironmentWhichWinsOverTheDefault(t *testing.T) {
	for _, c := range []struct {
		what string
		args []string
		env  string
		want string
		rest []string
	}{
		{"nothing given", nil, "", "download", nil},
		{"a flag is not a mode", []string{"--name", "x"}, "", "download", []string{"--name", "x"}},
		{"the environment", []string{"--name", "x"}, "version", "version", []string{"--name", "x"}},
		{"the argument", []string{"version", "-v"}, "download", "version", []string{"-v"}},
	} {
		got, rest, err := mode.Pick(c.args, func(string) string { return c.env }, modes)
		if err != nil || got.Name != c.want || !slices.Equal(rest, c.rest) {
			t.Errorf("%s: got %q %v %v", c.what, got.Name, rest, err)
		}
	}
}

func TestAnUnknownModeListsTheModesAndSaysWhereItCameFrom(t *testing.T) {
	_, _, err := mode.Pick([]string{"dance"}, func(string) string { return "" }, modes)
	if want := `unknown mode "dance", first argument: the modes are download, version`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	_, _, err = mode.Pick(nil, func(string) string { return "sing" }, modes)
	if want := `unknown mode "sing", WAYBILL_MODE: the modes are download, version`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
