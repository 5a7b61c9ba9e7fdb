// Package v1alpha1 has the kinds of kaos.tools/v1alpha1 as KAOS defined them, so that manifests written for KAOS are taken as they
// are. The CRDs in ../crds are generated from it; `go generate ./...` in this module writes them again.
//
// +kubebuilder:object:generate=true
// +groupName=kaos.tools
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is what the kinds' apiVersion says.
var GroupVersion = schema.GroupVersion{Group: "kaos.tools", Version: "v1alpha1"}

// AddToScheme lets a client read and write the kinds.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Agent{}, &AgentList{}, &MCPServer{}, &MCPServerList{}, &ModelAPI{}, &ModelAPIList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
