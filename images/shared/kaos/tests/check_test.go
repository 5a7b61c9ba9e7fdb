package tests

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"waybill/kaos/check"
	"waybill/kaos/v1alpha1"
)

func TestWhatASchemaCanNotSayIsFound(t *testing.T) {
	proxy := func(config string) *v1alpha1.ModelAPI {
		return &v1alpha1.ModelAPI{Spec: v1alpha1.ModelAPISpec{Mode: v1alpha1.ModeProxy, ProxyConfig: &v1alpha1.ProxyConfig{
			Models: []string{"gpt-4o", "openai/*"}, ConfigYaml: &v1alpha1.ConfigYaml{FromString: config},
		}}}
	}
	for what, c := range map[string]struct {
		found field.ErrorList
		want  string
	}{
		"an agent as it should be":      {check.Agent(&v1alpha1.Agent{}), ""},
		"a pod spec with a typo":        {check.Agent(&v1alpha1.Agent{Spec: v1alpha1.AgentSpec{PodSpec: &v1alpha1.PodSpec{Raw: []byte(`{"contaners":[]}`)}}}), "spec.podSpec"},
		"python-string without source":  {check.MCPServer(&v1alpha1.MCPServer{Spec: v1alpha1.MCPServerSpec{Runtime: "python-string"}}), "spec.params: Required"},
		"a runtime of somebody's own":   {check.MCPServer(&v1alpha1.MCPServer{Spec: v1alpha1.MCPServerSpec{Runtime: "slack"}}), ""},
		"a configuration of its models": {check.ModelAPI(proxy("model_list: [{model_name: gpt-4o}, {model_name: openai/o3}]")), ""},
		"a model beside its models":     {check.ModelAPI(proxy("model_list: [{model_name: claude}]")), `model_name "claude" is not in models`},
		"no YAML":                       {check.ModelAPI(proxy("model_list: [")), "no YAML"},
	} {
		got := ""
		if err := c.found.ToAggregate(); err != nil {
			got = err.Error()
		}
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", what, got, c.want)
		}
	}
}

func TestAModelIsServedByNameByProviderOrByStar(t *testing.T) {
	for _, c := range []struct {
		models []string
		model  string
		want   bool
	}{
		{[]string{"gpt-4o"}, "gpt-4o", true},
		{[]string{"gpt-4o"}, "gpt-4o-mini", false},
		{[]string{"openai/*"}, "openai/gpt-4o", true},
		{[]string{"openai/*"}, "openai", false},
		{[]string{"openai/*"}, "openaix/gpt", false},
		{[]string{"*"}, "anything", true},
		{nil, "anything", false},
	} {
		if got := check.Serves(c.models, c.model); got != c.want {
			t.Errorf("%v and %s: got %v", c.models, c.model, got)
		}
	}
}
