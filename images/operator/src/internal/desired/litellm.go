package desired

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"waybill/kaos/v1alpha1"
)

// liteLLMFile is the key of the ConfigMap, and the file's name in /etc/litellm.
const liteLLMFile = "config.yaml"

// LiteLLMConfigMap is its name.
func LiteLLMConfigMap(api *v1alpha1.ModelAPI) string { return "litellm-config-" + api.Name }

type liteLLMModel struct {
	Name   string            `json:"model_name"`
	Params map[string]string `json:"litellm_params"`
}

// liteLLMConfiguration is the user's or made of the models; empty where a Secret has it.
func liteLLMConfiguration(proxy *v1alpha1.ProxyConfig) (string, error) {
	if given := proxy.ConfigYaml; given != nil {
		return given.FromString, nil
	}
	models := make([]liteLLMModel, 0, len(proxy.Models))
	for _, model := range proxy.Models {
		params := map[string]string{"model": model}
		if proxy.Provider != "" {
			params["model"] = proxy.Provider + "/" + model
		}
		if proxy.APIBase != "" {
			params["api_base"] = "os.environ/PROXY_API_BASE"
		}
		if proxy.APIKey != nil {
			params["api_key"] = "os.environ/PROXY_API_KEY"
		}
		models = append(models, liteLLMModel{Name: model, Params: params})
	}
	text, err := yaml.Marshal(map[string]any{
		"model_list": models, "litellm_settings": map[string]any{"drop_params": true},
	})
	return string(text), err
}

// liteLLMPod is told the configuration to name its hash: LiteLLM reads the file once, so another file needs another pod.
func liteLLMPod(api *v1alpha1.ModelAPI, configuration string, defaults Defaults) corev1.PodSpec {
	proxy := api.Spec.ProxyConfig
	env := variables{}
	env.set("HOME", "/tmp")
	env.setIfAny("PROXY_API_BASE", proxy.APIBase)
	env.apiKey(proxy.APIKey)
	env.set("LITELLM_LOG", strings.ReplaceAll(strings.ToUpper(defaults.LogLevel), "TRACE", "DEBUG"))
	if configuration != "" {
		hash := sha256.Sum256([]byte(configuration))
		env.set("KAOS_CONFIG_SHA256", hex.EncodeToString(hash[:8]))
	}
	container := modelAPIContainer(defaults.LiteLLMImage, portHTTP, env, httpGet("/health/liveliness"))
	container.Args = []string{"--config", "/etc/litellm/" + liteLLMFile, "--port", "8000"}
	container.VolumeMounts = []corev1.VolumeMount{{Name: "litellm-config", MountPath: "/etc/litellm", ReadOnly: true}}
	return restricted(container, corev1.Volume{Name: "litellm-config", VolumeSource: liteLLMVolume(api)})
}

func liteLLMVolume(api *v1alpha1.ModelAPI) corev1.VolumeSource {
	if given := api.Spec.ProxyConfig.ConfigYaml; given != nil && given.FromSecretKeyRef != nil {
		return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: given.FromSecretKeyRef.Name,
			Items:      []corev1.KeyToPath{{Key: given.FromSecretKeyRef.Key, Path: liteLLMFile}},
		}}
	}
	return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: LiteLLMConfigMap(api)},
	}}
}

func (v *variables) apiKey(key *v1alpha1.APIKey) {
	const name = "PROXY_API_KEY"
	switch {
	case key == nil:
	case key.ValueFrom != nil:
		source := &corev1.EnvVarSource{SecretKeyRef: key.ValueFrom.SecretKeyRef, ConfigMapKeyRef: key.ValueFrom.ConfigMapKeyRef}
		v.all = setEnv(v.all, corev1.EnvVar{Name: name, ValueFrom: source})
	default:
		v.set(name, key.Value)
	}
}
