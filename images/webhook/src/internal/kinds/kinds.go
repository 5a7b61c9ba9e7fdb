// Package kinds defaults and validates Agent, MCPServer and ModelAPI where their OpenAPI schema can't.
package kinds

import (
	"fmt"
	"strings"

	admission "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"waybill/kaos/check"
	"waybill/kaos/v1alpha1"
	"waybill/webhook/internal/admit"
)

// Validate refuses what can't be carried out, with every reason.
func Validate(request *admission.AdmissionRequest) (admit.Answer, error) {
	if deleted(request) {
		return admit.Answer{}, nil
	}
	switch request.Kind.Kind {
	case "Agent":
		agent, err := admit.Decode[v1alpha1.Agent](request.Object)
		if err != nil {
			return admit.Answer{}, err
		}
		return answer(check.Agent(agent), agent.Spec.Container), nil
	case "MCPServer":
		server, err := admit.Decode[v1alpha1.MCPServer](request.Object)
		if err != nil {
			return admit.Answer{}, err
		}
		return answer(check.MCPServer(server), server.Spec.Container), nil
	case "ModelAPI":
		api, err := admit.Decode[v1alpha1.ModelAPI](request.Object)
		if err != nil {
			return admit.Answer{}, err
		}
		return answer(check.ModelAPI(api), api.Spec.Container, openKey(api)...), nil
	}
	return admit.Answer{}, fmt.Errorf("the kind %s was sent here by mistake: see the webhook's configuration", request.Kind.Kind)
}

func answer(found field.ErrorList, container *v1alpha1.Container, warnings ...string) admit.Answer {
	if container != nil {
		for _, variable := range container.Env {
			if looksSecret(variable.Name) && variable.Value != "" {
				warnings = append(warnings, fmt.Sprintf("spec.container.env: %s is in the open; valueFrom.secretKeyRef hides it", variable.Name))
			}
		}
	}
	result := admit.Answer{Warnings: warnings}
	if len(found) > 0 {
		result.Refused = found.ToAggregate()
	}
	return result
}

func openKey(api *v1alpha1.ModelAPI) []string {
	if proxy := api.Spec.ProxyConfig; proxy != nil && proxy.APIKey != nil && proxy.APIKey.Value != "" {
		return []string{"spec.proxyConfig.apiKey.value is in the open: everyone who may read ModelAPIs reads it; valueFrom.secretKeyRef hides it"}
	}
	return nil
}

func looksSecret(name string) bool {
	for _, end := range []string{"_KEY", "_TOKEN", "_PASSWORD", "_SECRET"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

func deleted(request *admission.AdmissionRequest) bool {
	return request.Operation == admission.Delete || len(request.Object.Raw) == 0
}
