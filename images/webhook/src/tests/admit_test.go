package tests

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	admission "k8s.io/api/admission/v1"

	"waybill/webhook/internal/admit"
	"waybill/webhook/internal/images"
	"waybill/webhook/internal/kinds"
)

// review sends an object and gives what the API server would get.
func review(t *testing.T, handler http.Handler, kind, object string) *admission.AdmissionResponse {
	t.Helper()
	body := `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u1","operation":"CREATE","kind":{"kind":"` +
		kind + `"},"object":` + object + `}}`
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
	if recorder.Code != http.StatusOK {
		t.Fatalf("%d: %s", recorder.Code, recorder.Body)
	}
	var answer admission.AdmissionReview
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Response == nil || answer.Response.UID != "u1" {
		t.Fatalf("the answer is %s", recorder.Body)
	}
	return answer.Response
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestAFaultKeepsOurKindsOutAndLetsPodsIn(t *testing.T) {
	faults := map[string]admit.Handler{
		"error": func(*admission.AdmissionRequest) (admit.Answer, error) { return admit.Answer{}, errors.New("broken") },
		"panic": func(*admission.AdmissionRequest) (admit.Answer, error) { panic("broken") },
	}
	for name, fault := range faults {
		closed := review(t, admit.Serve(fault, admit.Closed, quiet()), "Agent", "{}")
		if closed.Allowed || !strings.Contains(closed.Result.Message, "broken") {
			t.Errorf("%s, closed: %+v", name, closed)
		}
		if open := review(t, admit.Serve(fault, admit.Open, quiet()), "Pod", "{}"); !open.Allowed || open.Patch != nil {
			t.Errorf("%s, open: %+v", name, open)
		}
	}
}

func TestWhatIsNoReviewIsABadRequest(t *testing.T) {
	handler := admit.Serve(kinds.Validate, admit.Closed, quiet())
	for _, body := range []string{"", "{}", "[]", `{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{}}`} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
		if recorder.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", body, recorder.Code)
		}
	}
}

func TestOurKindsAreValidated(t *testing.T) {
	handler := admit.Serve(kinds.Validate, admit.Closed, quiet())
	for what, c := range map[string]struct{ kind, object, refused string }{
		"a good agent":           {"Agent", `{"spec":{"podSpec":{"nodeSelector":{"a":"b"}}}}`, ""},
		"a pod spec with a typo": {"Agent", `{"spec":{"podSpec":{"contaners":[]}}}`, "contaners"},
		"source that is missing": {"MCPServer", `{"spec":{"runtime":"python-string"}}`, "spec.params"},
		"a model out of nowhere": {"ModelAPI", `{"spec":{"mode":"Proxy","proxyConfig":{"models":["a"],"configYaml":{"fromString":"model_list: [{model_name: b}]"}}}}`, "is not in models"},
		"another kind":           {"Pod", `{}`, "by mistake"},
		"something unreadable":   {"Agent", `{"spec":7}`, "can't be read"},
	} {
		answer := review(t, handler, c.kind, c.object)
		message := ""
		if answer.Result != nil {
			message = answer.Result.Message
		}
		if answer.Allowed != (c.refused == "") || !strings.Contains(message, c.refused) {
			t.Errorf("%s: allowed %v, %q", what, answer.Allowed, message)
		}
	}
}

func TestKeysInTheOpenAreWarnedOf(t *testing.T) {
	handler := admit.Serve(kinds.Validate, admit.Closed, quiet())
	answer := review(t, handler, "ModelAPI", `{"spec":{"proxyConfig":{"models":["a"],"apiKey":{"value":"k"}},"container":{"env":[{"name":"X_TOKEN","value":"t"}]}}}`)
	if !answer.Allowed || len(answer.Warnings) != 2 || strings.Contains(strings.Join(answer.Warnings, " "), `"k"`) {
		t.Errorf("got %v", answer.Warnings)
	}
}

func TestWhatFollowsIsFilledIn(t *testing.T) {
	handler := admit.Serve(kinds.Default, admit.Closed, quiet())
	for what, c := range map[string]struct{ kind, object, patch string }{
		"a proxy":        {"ModelAPI", `{"spec":{"proxyConfig":{"models":["a"]}}}`, `[{"op":"add","path":"/spec/mode","value":"Proxy"}]`},
		"a hosted model": {"ModelAPI", `{"spec":{"hostedConfig":{"model":"a"}}}`, `[{"op":"add","path":"/spec/mode","value":"Hosted"}]`},
		"both":           {"ModelAPI", `{"spec":{"proxyConfig":{"models":["a"]},"hostedConfig":{"model":"a"}}}`, ``},
		"a mode that is": {"ModelAPI", `{"spec":{"mode":"Hosted","proxyConfig":{"models":["a"]}}}`, ``},
		"source":         {"MCPServer", `{"spec":{"params":"def f(): pass"}}`, `[{"op":"add","path":"/spec/runtime","value":"python-string"}]`},
		"an image":       {"MCPServer", `{"spec":{"container":{"image":"x"}}}`, `[{"op":"add","path":"/spec/runtime","value":"custom"}]`},
		"neither":        {"MCPServer", `{"spec":{}}`, ``},
		"an agent":       {"Agent", `{"spec":{}}`, ``},
	} {
		if answer := review(t, handler, c.kind, c.object); !answer.Allowed || string(answer.Patch) != c.patch {
			t.Errorf("%s: allowed %v, %s", what, answer.Allowed, answer.Patch)
		}
	}
}

func TestAPodKeepsWhatWasWritten(t *testing.T) {
	all := rules(t, "mirrors: [{ from: docker.io, to: mirror.test }]")
	handler := admit.Serve(images.Pods(func() *images.Rules { return all }), admit.Open, quiet())
	answer := review(t, handler, "Pod", `{"metadata":{},"spec":{"initContainers":[{"name":"i","image":"quay.io/i"}],"containers":[{"name":"a","image":"x/a:1"}]}}`)
	want := `[{"op":"add","path":"/spec/containers/0/image","value":"mirror.test/x/a:1"},` +
		`{"op":"add","path":"/metadata/annotations","value":{}},` +
		`{"op":"add","path":"/metadata/annotations/waybill.dev~1images-as-written","value":"{\"a\":\"x/a:1\"}"}]`
	if string(answer.Patch) != want {
		t.Errorf("got  %s\nwant %s", answer.Patch, want)
	}
	if answer := review(t, handler, "Pod", `{"spec":{"containers":[{"name":"a","image":"quay.io/a"}]}}`); answer.Patch != nil {
		t.Errorf("got %s", answer.Patch)
	}
	if answer := review(t, handler, "Pod", `{"spec":{"containers":"none"}}`); !answer.Allowed {
		t.Errorf("got %+v", answer)
	}
}
