package kinds

import (
	"fmt"

	admission "k8s.io/api/admission/v1"

	"waybill/kaos/v1alpha1"
	"waybill/webhook/internal/admit"
)

// Default fills in what follows from the rest of the object. Values that follow from nothing are defaults of the schema.
func Default(request *admission.AdmissionRequest) (admit.Answer, error) {
	if deleted(request) {
		return admit.Answer{}, nil
	}
	patch := admit.Patch{}
	switch request.Kind.Kind {
	case "Agent":
	case "MCPServer":
		server, err := admit.Decode[v1alpha1.MCPServer](request.Object)
		if err != nil {
			return admit.Answer{}, err
		}
		runtime(server, &patch)
	case "ModelAPI":
		api, err := admit.Decode[v1alpha1.ModelAPI](request.Object)
		if err != nil {
			return admit.Answer{}, err
		}
		mode(api, &patch)
	default:
		return admit.Answer{}, fmt.Errorf("the kind %s was sent here by mistake: see the webhook's configuration", request.Kind.Kind)
	}
	changed, err := patch.JSON()
	return admit.Answer{Changed: changed}, err
}

// mode follows from the one configuration that is given.
func mode(api *v1alpha1.ModelAPI, patch *admit.Patch) {
	proxy, hosted := api.Spec.ProxyConfig != nil, api.Spec.HostedConfig != nil
	switch {
	case api.Spec.Mode != "" || proxy == hosted:
	case proxy:
		patch.Add(v1alpha1.ModeProxy, "spec", "mode")
	default:
		patch.Add(v1alpha1.ModeHosted, "spec", "mode")
	}
}

// runtime follows from whether source is given or an image.
func runtime(server *v1alpha1.MCPServer, patch *admit.Patch) {
	switch {
	case server.Spec.Runtime != "":
	case server.Spec.Params != "":
		patch.Add(v1alpha1.RuntimePythonString, "spec", "runtime")
	case server.Spec.Container != nil && server.Spec.Container.Image != "":
		patch.Add(v1alpha1.RuntimeCustom, "spec", "runtime")
	}
}
