package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ModelAPIMode is where the model runs.
// +kubebuilder:validation:Enum=Proxy;Hosted
type ModelAPIMode string

const (
	// ModeProxy hands requests on to a provider, by LiteLLM.
	ModeProxy ModelAPIMode = "Proxy"
	// ModeHosted runs the model in the cluster, by Ollama.
	ModeHosted ModelAPIMode = "Hosted"
)

// ModelAPISpec is the model that somebody wants to be served.
//
// +kubebuilder:validation:XValidation:rule="self.mode != 'Proxy' || has(self.proxyConfig)",message="mode Proxy needs proxyConfig"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Hosted' || has(self.hostedConfig)",message="mode Hosted needs hostedConfig"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Proxy' || !has(self.hostedConfig)",message="mode Proxy has no hostedConfig"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Hosted' || !has(self.proxyConfig)",message="mode Hosted has no proxyConfig"
type ModelAPISpec struct {
	// Mode: Proxy hands requests on to a provider, Hosted runs the model here.
	Mode ModelAPIMode `json:"mode"`

	// ProxyConfig is for mode Proxy.
	// +optional
	ProxyConfig *ProxyConfig `json:"proxyConfig,omitempty"`

	// HostedConfig is for mode Hosted.
	// +optional
	HostedConfig *HostedConfig `json:"hostedConfig,omitempty"`

	// Container changes the generated container.
	// +optional
	Container *Container `json:"container,omitempty"`

	// PodSpec is merged into the generated one by Kubernetes' strategic merge; the container's name is model-api.
	// +optional
	PodSpec *PodSpec `json:"podSpec,omitempty"`
}

// ProxyConfig is what LiteLLM is told.
type ProxyConfig struct {
	// Models that agents may name: names, openai/* for all of a provider, * for all.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	Models []string `json:"models"`

	// Provider is LiteLLM's prefix for all of the models, such as openai, anthropic or ollama.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9_-]*$`
	Provider string `json:"provider,omitempty"`

	// APIBase is the provider's URL, where it isn't the usual one.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://`
	APIBase string `json:"apiBase,omitempty"`

	// APIKey for the provider.
	// +optional
	APIKey *APIKey `json:"apiKey,omitempty"`

	// ConfigYaml replaces the generated LiteLLM configuration; models still says what agents may name.
	// +optional
	ConfigYaml *ConfigYaml `json:"configYaml,omitempty"`
}

// APIKey is a key or where it lies.
//
// +kubebuilder:validation:XValidation:rule="has(self.value) != has(self.valueFrom)",message="an API key has either value or valueFrom"
type APIKey struct {
	// Value in the open: for keys that protect nothing.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value,omitempty"`

	// ValueFrom a Secret or a ConfigMap.
	// +optional
	ValueFrom *APIKeyFrom `json:"valueFrom,omitempty"`
}

// APIKeyFrom is where a key lies.
//
// +kubebuilder:validation:XValidation:rule="has(self.secretKeyRef) != has(self.configMapKeyRef)",message="a key comes from either secretKeyRef or configMapKeyRef"
type APIKeyFrom struct {
	// +optional
	SecretKeyRef *corev1.SecretKeySelector `json:"secretKeyRef,omitempty"`
	// +optional
	ConfigMapKeyRef *corev1.ConfigMapKeySelector `json:"configMapKeyRef,omitempty"`
}

// ConfigYaml is a configuration of LiteLLM, or where it lies.
//
// +kubebuilder:validation:XValidation:rule="has(self.fromString) != has(self.fromSecretKeyRef)",message="a configuration has either fromString or fromSecretKeyRef"
type ConfigYaml struct {
	// +optional
	// +kubebuilder:validation:MaxLength=262144
	FromString string `json:"fromString,omitempty"`
	// +optional
	FromSecretKeyRef *corev1.SecretKeySelector `json:"fromSecretKeyRef,omitempty"`
}

// HostedConfig is what Ollama is told.
type HostedConfig struct {
	// Model as `ollama pull` takes it, such as smollm2:135m.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._:/-]*$`
	Model string `json:"model"`
}

// ModelAPIStatus is how far the model is.
type ModelAPIStatus struct {
	Status `json:",inline"`
}

// ModelAPI serves models to agents by OpenAI's API.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=modelapis,singular=modelapi,categories=kaos
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Ready",type=boolean,JSONPath=`.status.ready`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="the name becomes a Service's: lower-case letters, digits and -, no dots"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 54",message="a ModelAPI's name has at most 54 characters: its Service is named modelapi-<name>"
type ModelAPI struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ModelAPISpec `json:"spec"`
	// +optional
	Status ModelAPIStatus `json:"status,omitempty"`
}

// ModelAPIList is many of them.
//
// +kubebuilder:object:root=true
type ModelAPIList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ModelAPI `json:"items"`
}
