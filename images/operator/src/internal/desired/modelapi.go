package desired

import (
	corev1 "k8s.io/api/core/v1"

	"waybill/kaos/check"
	"waybill/kaos/v1alpha1"
)

const portOllama = int32(11434)

// ForModelAPI gives a ModelAPI's objects.
func ForModelAPI(api *v1alpha1.ModelAPI, defaults Defaults) (Objects, error) {
	wanted := workload{
		app: "modelapi", owner: api, port: modelAPIPort(api),
		container: api.Spec.Container, patch: api.Spec.PodSpec,
	}
	objects := Objects{Service: wanted.service()}
	switch {
	case api.Spec.Mode == v1alpha1.ModeHosted && api.Spec.HostedConfig != nil:
		image := defaults.OllamaImage
		if api.Spec.Container != nil && api.Spec.Container.Image != "" {
			image = api.Spec.Container.Image
		}
		wanted.pod = ollamaPod(api.Spec.HostedConfig.Model, image, defaults)
	case api.Spec.Mode == v1alpha1.ModeProxy && api.Spec.ProxyConfig != nil:
		configuration, err := liteLLMConfiguration(api.Spec.ProxyConfig)
		if err != nil {
			return Objects{}, err
		}
		if configuration != "" {
			objects.ConfigMap = wanted.configMap(LiteLLMConfigMap(api), map[string]string{liteLLMFile: configuration})
		}
		wanted.pod = liteLLMPod(api, configuration, defaults)
	default:
		return Objects{}, &SpecError{"mode " + string(api.Spec.Mode) + " lacks its configuration"}
	}
	deployment, err := wanted.deployment()
	objects.Deployment = deployment
	return objects, err
}

// Models are those that agents may name.
func Models(api *v1alpha1.ModelAPI) []string {
	switch {
	case api.Spec.ProxyConfig != nil:
		return api.Spec.ProxyConfig.Models
	case api.Spec.HostedConfig != nil:
		return []string{api.Spec.HostedConfig.Model}
	}
	return nil
}

func modelAPIPort(api *v1alpha1.ModelAPI) int32 {
	if api.Spec.Mode == v1alpha1.ModeHosted {
		return portOllama
	}
	return portHTTP
}

func modelAPIContainer(image string, port int32, env variables, ready corev1.ProbeHandler) corev1.Container {
	container := corev1.Container{
		Name: check.ModelAPIContainer, Image: image, Ports: ports(port), Env: env.all, SecurityContext: locked(false),
	}
	probes(&container, ready, ready)
	return container
}
