package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Types of conditions, of all three kinds except where it says otherwise.
const (
	// ConditionReady sums the others up.
	ConditionReady = "Ready"
	// ConditionAccepted is false where the spec can't be carried out: the person who wrote it must mend it.
	ConditionAccepted = "Accepted"
	// ConditionDependenciesReady says what an Agent waits for.
	ConditionDependenciesReady = "DependenciesReady"
	// ConditionAvailable is the Deployment's.
	ConditionAvailable = "Available"
)

// Phase is the conditions in a word.
// +kubebuilder:validation:Enum=Pending;Waiting;Ready;Failed
type Phase string

// The phases: Pending until pods are ready, Waiting for other objects, Failed until somebody mends the spec.
const (
	PhasePending Phase = "Pending"
	PhaseWaiting Phase = "Waiting"
	PhaseReady   Phase = "Ready"
	PhaseFailed  Phase = "Failed"
)

// Container changes the generated container; podSpec can do all of this and more.
type Container struct {
	// Image instead of the operator's default.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Image string `json:"image,omitempty"`

	// Command instead of the image's entrypoint.
	// +optional
	// +listType=atomic
	Command []string `json:"command,omitempty"`

	// Args instead of the image's or the operator's.
	// +optional
	// +listType=atomic
	Args []string `json:"args,omitempty"`

	// Env beside the operator's variables. One of the same name wins over the operator's.
	// +optional
	// +listType=map
	// +listMapKey=name
	Env []corev1.EnvVar `json:"env,omitempty"`

	// Resources of the container.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
}

// PodSpec is a patch of the generated pod spec. It is not typed here: a patch may lack what a whole pod spec must have, and may say
// what none has ($patch). The webhook and the operator check it.
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:validation:Type=object
type PodSpec = runtime.RawExtension

// Status is what all three kinds tell.
type Status struct {
	// Phase is the conditions in a word.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// Ready is whether requests are answered.
	// +optional
	Ready bool `json:"ready"`

	// Endpoint is the base URL inside the cluster.
	// +optional
	Endpoint string `json:"endpoint,omitempty"`

	// Message is the reason for the phase, for people.
	// +optional
	Message string `json:"message,omitempty"`

	// ObservedGeneration is the spec's generation that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Deployment is the status of the Deployment.
	// +optional
	Deployment *DeploymentStatus `json:"deployment,omitempty"`

	// Conditions: Ready, Accepted, Available and, of an Agent, DependenciesReady.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// DeploymentStatus is the counts of a Deployment's status.
type DeploymentStatus struct {
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// +optional
	ReadyReplicas int32 `json:"readyReplicas,omitempty"`
	// +optional
	AvailableReplicas int32 `json:"availableReplicas,omitempty"`
	// +optional
	UpdatedReplicas int32 `json:"updatedReplicas,omitempty"`
}
