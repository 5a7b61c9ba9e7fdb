// Package check says what is wrong with objects where their OpenAPI schema can't: the webhook refuses them for it, and the operator
// puts it into a condition, where no webhook stood in the way.
package check

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"waybill/kaos/podspec"
	"waybill/kaos/v1alpha1"
)

// The names of the containers that the operator generates.
const (
	AgentContainer    = "agent"
	MCPContainer      = "mcp-server"
	ModelAPIContainer = "model-api"
)

// Agent gives everything that is wrong with an Agent by itself.
func Agent(agent *v1alpha1.Agent) field.ErrorList {
	return podSpec(agent.Spec.PodSpec, AgentContainer)
}

// MCPServer gives everything that is wrong with an MCPServer by itself.
func MCPServer(server *v1alpha1.MCPServer) field.ErrorList {
	found := podSpec(server.Spec.PodSpec, MCPContainer)
	if server.Spec.Runtime == v1alpha1.RuntimePythonString && server.Spec.Params == "" {
		found = append(found, field.Required(field.NewPath("spec", "params"), "runtime python-string runs the source in params"))
	}
	return found
}

// ModelAPI gives everything that is wrong with a ModelAPI by itself.
func ModelAPI(api *v1alpha1.ModelAPI) field.ErrorList {
	found := podSpec(api.Spec.PodSpec, ModelAPIContainer)
	if proxy := api.Spec.ProxyConfig; proxy != nil && proxy.ConfigYaml != nil && proxy.ConfigYaml.FromString != "" {
		path := field.NewPath("spec", "proxyConfig", "configYaml", "fromString")
		if err := liteLLM(proxy.ConfigYaml.FromString, proxy.Models); err != nil {
			found = append(found, field.Invalid(path, field.OmitValueType{}, err.Error()))
		}
	}
	return found
}

// podSpec tries the patch on the least that the operator could generate.
func podSpec(patch *v1alpha1.PodSpec, container string) field.ErrorList {
	if patch == nil {
		return nil
	}
	least := corev1.PodSpec{Containers: []corev1.Container{{Name: container, Image: "image"}}}
	if _, err := podspec.Merge(least, patch.Raw); err != nil {
		return field.ErrorList{field.Invalid(field.NewPath("spec", "podSpec"), field.OmitValueType{}, err.Error())}
	}
	return nil
}

// liteLLM sees that agents may name every model that the configuration has.
func liteLLM(config string, models []string) error {
	var parsed struct {
		ModelList []struct {
			ModelName string `json:"model_name"`
		} `json:"model_list"`
	}
	if err := yaml.Unmarshal([]byte(config), &parsed); err != nil {
		return fmt.Errorf("it is no YAML that LiteLLM reads: %w", err)
	}
	for _, entry := range parsed.ModelList {
		if !Serves(models, entry.ModelName) {
			return fmt.Errorf("model_name %q is not in models", entry.ModelName)
		}
	}
	return nil
}
