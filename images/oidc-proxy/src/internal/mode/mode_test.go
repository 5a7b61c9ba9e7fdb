package mode

import (
	"slices"
	"testing"
)

var modes = []Mode{{Name: "serve"}, {Name: "version"}}

func TestTheArgumentWinsOverTheEnvironmentWhichWinsOverTheDefault(t *testing.T) {
	for _, c := range []struct {
		what string
		args []string
		env  string
		want string
		rest []string
	}{
		{"nothing given", nil, "", "serve", nil},
		{"a flag is not a mode", []string{"--name", "x"}, "", "serve", []string{"--name", "x"}},
		{"the environment", []string{"--name", "x"}, "version", "version", []string{"--name", "x"}},
		{"the argument", []string{"version", "-v"}, "serve", "version", []string{"-v"}},
	} {
		got, rest, err := Pick(c.args, func(string) string { return c.env }, modes)
		if err != nil || got.Name != c.want || !slices.Equal(rest, c.rest) {
			t.Errorf("%s: got %q %v %v", c.what, got.Name, rest, err)
		}
	}
}

func TestAnUnknownModeListsTheModesAndSaysWhereItCameFrom(t *testing.T) {
	_, _, err := Pick([]string{"dance"}, func(string) string { return "" }, modes)
	if want := `unknown mode "dance", first argument: the modes are serve, version`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	_, _, err = Pick(nil, func(string) string { return "sing" }, modes)
	if want := `unknown mode "sing", WAYBILL_MODE: the modes are serve, version`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
