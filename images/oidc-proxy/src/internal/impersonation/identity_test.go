package impersonation

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestReadTakesWhatKubectlSends(t *testing.T) {
	headers := http.Header{}
	headers.Set("Impersonate-User", "bob")
	headers.Set("Impersonate-Uid", "42")
	headers.Add("Impersonate-Group", "dev")
	headers.Add("Impersonate-Group", "ops")
	headers.Add("Impersonate-Extra-Acme.com%2Fproject", "some")
	got, err := Read(headers)
	want := &Identity{User: "bob", UID: "42", Groups: []string{"dev", "ops"}, Extra: map[string][]string{"acme.com/project": {"some"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReadOfNone(t *testing.T) {
	if got, err := Read(http.Header{"Accept": {"x"}}); got != nil || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReadRefusesWhatCannotBeReviewed(t *testing.T) {
	user := []string{"bob"}
	for what, headers := range map[string]http.Header{
		"a group without a user":          {"Impersonate-Group": {"x"}},
		"an empty user":                   {"Impersonate-User": {""}},
		"two users":                       {"Impersonate-User": {"bob", "root"}},
		"two uids":                        {"Impersonate-User": user, "Impersonate-Uid": {"1", "2"}},
		"a header of tomorrow":            {"Impersonate-User": user, "Impersonate-Scope": {"all"}},
		"an extra key cut off":            {"Impersonate-User": user, "Impersonate-Extra-A%2": {"x"}},
		"an extra without a key":          {"Impersonate-User": user, "Impersonate-Extra-": {"x"}},
		"another's record of who asked":   {"Impersonate-User": user, "Impersonate-Extra-Originaluser.jetstack.io-User": {"eve"}},
		"the same record in capitals":     {"Impersonate-User": user, "Impersonate-Extra-%4friginaluser.jetstack.io-User": {"eve"}},
		"the same record, percent-hidden": {"Impersonate-User": user, "Impersonate-Extra-%6friginaluser.jetstack.io-User": {"eve"}},
	} {
		if got, err := Read(headers); err == nil {
			t.Errorf("%s: got %+v", what, got)
		}
	}
}

func TestStripLeavesNothingThatNamesAUser(t *testing.T) {
	headers := http.Header{
		"Impersonate-User":    {"root"},
		"impersonate-group":   {"system:masters"},
		"IMPERSONATE-EXTRA-X": {"y"},
		"Impersonate-Scope":   {"all"},
		"X-Remote-User":       {"root"},
		"x-remote-group":      {"system:masters"},
		"X-Remote-Extra-A":    {"b"},
		"Accept":              {"kept"},
	}
	Strip(headers)
	if !reflect.DeepEqual(headers, http.Header{"Accept": {"kept"}}) {
		t.Errorf("left %v", headers)
	}
}

func TestWrittenIsWhatIsReadAgain(t *testing.T) {
	want := Identity{
		User:   "system:serviceaccount:a:b",
		UID:    "7",
		Groups: []string{"one", "two, three"},
		Extra:  map[string][]string{"acme.com/a b%ü": {"x", "y"}, "plain": {"z"}, "Capital": {"c"}},
	}
	headers := http.Header{"Impersonate-User": {"root"}, "Impersonate-Group": {"system:masters"}}
	want.Write(headers)
	for name := range headers {
		if strings.ContainsAny(name, " /ü") {
			t.Errorf("%q is no header name", name)
		}
	}
	got, err := Read(headers)
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestCompleteAddsWhatTheAPIServerWould(t *testing.T) {
	for _, c := range []struct {
		user         string
		groups, want []string
	}{
		{"bob", nil, []string{"system:authenticated"}},
		{"bob", []string{"dev"}, []string{"dev", "system:authenticated"}},
		{"bob", []string{"system:authenticated", "dev"}, []string{"system:authenticated", "dev"}},
		{"system:anonymous", nil, []string{"system:unauthenticated"}},
		{"system:serviceaccount:ns:name", nil, []string{"system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"}},
		{"system:serviceaccount:ns:name", []string{"dev"}, []string{"dev", "system:authenticated"}},
		{"system:serviceaccount:ns", nil, []string{"system:authenticated"}},
	} {
		if got := (Identity{User: c.user, Groups: c.groups}).Complete().Groups; !slices.Equal(got, c.want) {
			t.Errorf("%s %v: got %v", c.user, c.groups, got)
		}
	}
}

func TestPermissionsAreThoseOfTheAPIServer(t *testing.T) {
	got := Identity{User: "bob", UID: "7", Groups: []string{"dev"}, Extra: map[string][]string{"scopes": {"a", "b"}}}.Permissions()
	want := []Permission{
		{Resource: "users", Name: "bob", What: "user 'bob'"},
		{Resource: "groups", Name: "dev", What: "group 'dev'"},
		{APIGroup: "authentication.k8s.io", Resource: "uids", Name: "7", What: "uid '7'"},
		{APIGroup: "authentication.k8s.io", Resource: "userextras", Subresource: "scopes", Name: "a", What: "extra info 'scopes'='a'"},
		{APIGroup: "authentication.k8s.io", Resource: "userextras", Subresource: "scopes", Name: "b", What: "extra info 'scopes'='b'"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	account := Identity{User: "system:serviceaccount:ns:name"}.Permissions()[0]
	if account.Resource != "serviceaccounts" || account.Namespace != "ns" || account.Name != "name" {
		t.Errorf("got %+v", account)
	}
}
