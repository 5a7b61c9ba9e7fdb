package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// The runtimes that need no entry in the registry of runtimes.
const (
	// RuntimePythonString runs the Python source in params.
	RuntimePythonString = "python-string"
	// RuntimeCustom runs container.image.
	RuntimeCustom = "custom"
)

// MCPServerSpec is the MCP server that somebody wants.
//
// +kubebuilder:validation:XValidation:rule="self.runtime != 'custom' || (has(self.container) && has(self.container.image) && self.container.image.size() > 0)",message="runtime custom needs container.image"
type MCPServerSpec struct {
	// Runtime: python-string, custom, or a name in the ConfigMap kaos-mcp-runtimes of the operator's namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Runtime string `json:"runtime"`

	// Params of the runtime; of python-string the source, each function of which is a tool.
	// +optional
	// +kubebuilder:validation:MaxLength=262144
	Params string `json:"params,omitempty"`

	// ServiceAccountName for tools that ask the API server. Without one the pod has no token.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// Container changes the generated container.
	// +optional
	Container *Container `json:"container,omitempty"`

	// PodSpec is merged into the generated one by Kubernetes' strategic merge; the container's name is mcp-server.
	// +optional
	PodSpec *PodSpec `json:"podSpec,omitempty"`
}

// MCPServerStatus is how far the server is.
type MCPServerStatus struct {
	Status `json:",inline"`
}

// MCPServer offers tools to agents over MCP's streamable HTTP.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=mcp;mcps,categories=kaos
// +kubebuilder:printcolumn:name="Runtime",type=string,JSONPath=`.spec.runtime`
// +kubebuilder:printcolumn:name="Ready",type=boolean,JSONPath=`.status.ready`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="the name becomes a Service's: lower-case letters, digits and -, no dots"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 53",message="an MCPServer's name has at most 53 characters: its Service is named mcpserver-<name>"
type MCPServer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec MCPServerSpec `json:"spec"`
	// +optional
	Status MCPServerStatus `json:"status,omitempty"`
}

// MCPServerList is many of them.
//
// +kubebuilder:object:root=true
type MCPServerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []MCPServer `json:"items"`
}
