package proxy

import (
	"net/http"
	"reflect"
	"testing"
)

func TestBearer(t *testing.T) {
	for _, c := range []struct {
		header string
		token  string
		ok     bool
	}{
		{"Bearer abc", "abc", true},
		{"bearer  abc ", "abc", true},
		{"Bearer", "", false},
		{"Bearer ", "", false},
		{"Bearer a b", "a b", false},
		{"Basic abc", "abc", false},
		{"", "", false},
	} {
		token, ok := bearer(http.Header{"Authorization": {c.header}})
		if ok != c.ok || ok && token != c.token {
			t.Errorf("%q: got %q %v", c.header, token, ok)
		}
	}
}

func TestCleanseTakesWhatOnlyTheProxyMaySay(t *testing.T) {
	sent := http.Header{
		"Impersonate-User":       {"root"},
		"X-Remote-User":          {"root"},
		"Sec-Websocket-Protocol": {"v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0", "base64url.bearer.authorization.k8s.io.c2VjcmV0"},
		"Accept":                 {"x"},
	}
	out := sent.Clone()
	cleanse(out, sent, false)
	if want := (http.Header{"Sec-Websocket-Protocol": {"v5.channel.k8s.io"}, "Accept": {"x"}}); !reflect.DeepEqual(out, want) {
		t.Errorf("got %v", out)
	}
	out = sent.Clone()
	cleanse(out, sent, true)
	if got := out.Get("Impersonate-User"); got != "root" || out.Get("X-Remote-User") != "" {
		t.Errorf("with the client's own rights: got %v", out)
	}
}

func TestEndlessRequests(t *testing.T) {
	for url, want := range map[string]bool{
		"/api/v1/pods?watch=true":             true,
		"/api/v1/pods?watch=1":                true,
		"/api/v1/pods/a/log?follow=true":      true,
		"/api/v1/pods":                        false,
		"/api/v1/pods?watch=false":            false,
		"/api/v1/pods?labelSelector=watch%3D": false,
	} {
		request, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := isEndless(request); got != want {
			t.Errorf("%s: got %v", url, got)
		}
	}
}
