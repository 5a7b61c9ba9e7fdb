package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AgentSpec is the agent that somebody wants.
type AgentSpec struct {
	// ModelAPI is the name of a ModelAPI in the same namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ModelAPI string `json:"modelAPI"`

	// Model as the ModelAPI knows it, such as openai/gpt-4o or smollm2:135m.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Model string `json:"model"`

	// MCPServers are names of MCPServers in the same namespace, whose tools the agent may call.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	MCPServers []string `json:"mcpServers,omitempty"`

	// AgentNetwork is how the agent meets other agents.
	// +optional
	AgentNetwork *AgentNetwork `json:"agentNetwork,omitempty"`

	// Config of the agent itself.
	// +optional
	// +kubebuilder:default={}
	Config *AgentConfig `json:"config,omitempty"`

	// WaitForDependencies: no pod is made before the ModelAPI, the MCPServers and the peers are ready. (Of peers that call each
	// other, each waits until the other exists.) Later outages of theirs stop nothing.
	// +optional
	// +kubebuilder:default=true
	WaitForDependencies *bool `json:"waitForDependencies,omitempty"`

	// Container changes the generated container.
	// +optional
	Container *Container `json:"container,omitempty"`

	// PodSpec is merged into the generated one by Kubernetes' strategic merge; the container's name is agent.
	// +optional
	PodSpec *PodSpec `json:"podSpec,omitempty"`
}

// AgentNetwork is how an agent meets other agents.
type AgentNetwork struct {
	// Expose: other agents can reach this one; without, it has no Service.
	// +optional
	// +kubebuilder:default=true
	Expose *bool `json:"expose,omitempty"`

	// Access are the names of the agents in the same namespace that this one may call.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	Access []string `json:"access,omitempty"`
}

// AgentConfig is of the agent itself.
type AgentConfig struct {
	// Description that peers are shown.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Description string `json:"description,omitempty"`

	// Instructions are the system prompt.
	// +optional
	// +kubebuilder:validation:MaxLength=65536
	Instructions string `json:"instructions,omitempty"`

	// ReasoningLoopMaxSteps: how often the agent may ask the model for one answer.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	ReasoningLoopMaxSteps *int32 `json:"reasoningLoopMaxSteps,omitempty"`

	// Memory of sessions.
	// +optional
	// +kubebuilder:default={}
	Memory *AgentMemory `json:"memory,omitempty"`
}

// AgentMemory is what an agent keeps of its sessions.
type AgentMemory struct {
	// +optional
	// +kubebuilder:default=true
	Enabled *bool `json:"enabled,omitempty"`

	// Type: local is the pod's own memory.
	// +optional
	// +kubebuilder:default=local
	// +kubebuilder:validation:Enum=local
	Type string `json:"type,omitempty"`

	// ContextLimit is how many messages go along with a delegation.
	// +optional
	// +kubebuilder:default=6
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	ContextLimit *int32 `json:"contextLimit,omitempty"`

	// MaxSessions that are kept.
	// +optional
	// +kubebuilder:default=1000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	MaxSessions *int32 `json:"maxSessions,omitempty"`

	// MaxSessionEvents that are kept of a session.
	// +optional
	// +kubebuilder:default=500
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MaxSessionEvents *int32 `json:"maxSessionEvents,omitempty"`
}

// AgentStatus is how far the agent is.
type AgentStatus struct {
	Status `json:",inline"`

	// LinkedResources are the names of the objects that the agent works with: modelapi, mcpservers and peers, with commas.
	// +optional
	LinkedResources map[string]string `json:"linkedResources,omitempty"`
}

// Agent answers in a chat, calls tools of MCP servers and delegates to its peers.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:singular=agent,categories=kaos
// +kubebuilder:printcolumn:name="ModelAPI",type=string,JSONPath=`.spec.modelAPI`
// +kubebuilder:printcolumn:name="Model",type=string,JSONPath=`.spec.model`
// +kubebuilder:printcolumn:name="Ready",type=boolean,JSONPath=`.status.ready`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`,priority=1
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="the name becomes a Service's: lower-case letters, digits and -, no dots"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 57",message="an Agent's name has at most 57 characters: its Service is named agent-<name>"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.agentNetwork) || !has(self.spec.agentNetwork.access) || !(self.metadata.name in self.spec.agentNetwork.access)",message="an Agent is no peer of its own"
type Agent struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec AgentSpec `json:"spec"`
	// +optional
	Status AgentStatus `json:"status,omitempty"`
}

// AgentList is many of them.
//
// +kubebuilder:object:root=true
type AgentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Agent `json:"items"`
}
