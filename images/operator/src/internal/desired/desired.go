// Package desired says which objects an Agent, an MCPServer or a ModelAPI stands for. It is a function of its arguments: no cluster,
// no environment.
package desired

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"waybill/kaos/podspec"
	"waybill/kaos/v1alpha1"
)

// ManagedBy is the label, and its value, of every object that the operator makes; it watches no others.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "kaos-operator"
)

// Defaults are what objects get that name nothing else.
type Defaults struct {
	AgentImage     string
	MCPServerImage string
	LiteLLMImage   string
	OllamaImage    string
	// LogLevel as Python names it: TRACE, DEBUG, INFO, WARNING, ERROR.
	LogLevel string
}

// Objects is what one of the kinds stands for; nil is to be there no more.
type Objects struct {
	Deployment *appsv1.Deployment
	Service    *corev1.Service
	ConfigMap  *corev1.ConfigMap
}

// workload is what the three kinds differ in.
type workload struct {
	// app is the label's value and the prefix of names: agent, mcpserver, modelapi.
	app       string
	owner     metav1.Object
	port      int32
	pod       corev1.PodSpec
	container *v1alpha1.Container
	patch     *v1alpha1.PodSpec
}

// deployment leaves the number of replicas to whoever scales it.
func (w workload) deployment() (*appsv1.Deployment, error) {
	pod := w.pod
	adjust(&pod.Containers[0], w.container)
	if w.patch != nil {
		merged, err := podspec.Merge(pod, w.patch.Raw)
		if err != nil {
			return nil, &SpecError{"spec.podSpec: " + err.Error()}
		}
		pod = merged
	}
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: w.meta(w.app + "-" + w.owner.GetName()),
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: w.selector()},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: w.labels()}, Spec: pod},
		},
	}, nil
}

func (w workload) service() *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: w.meta(w.app + "-" + w.owner.GetName()),
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: w.selector(),
			Ports: []corev1.ServicePort{{
				Name: "http", Port: w.port, TargetPort: intstr.FromString("http"), Protocol: corev1.ProtocolTCP,
			}},
		},
	}
}

func (w workload) configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: w.meta(name), Data: data,
	}
}

func (w workload) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: w.owner.GetNamespace(), Labels: w.labels()}
}

// selector is KAOS's: a Deployment's can't be changed.
func (w workload) selector() map[string]string {
	return map[string]string{"app": w.app, w.app: w.owner.GetName()}
}

func (w workload) labels() map[string]string {
	labels := w.selector()
	labels[ManagedByLabel] = ManagedBy
	return labels
}

// adjust makes the changes of spec.container.
func adjust(container *corev1.Container, by *v1alpha1.Container) {
	if by == nil {
		return
	}
	if by.Image != "" {
		container.Image = by.Image
	}
	if by.Command != nil {
		container.Command = by.Command
	}
	if by.Args != nil {
		container.Args = by.Args
	}
	if by.Resources != nil {
		container.Resources = *by.Resources
	}
	container.Env = withEnv(container.Env, by.Env)
}

// withEnv lets the user's variables take the place of ours: no name is there twice.
func withEnv(ours, users []corev1.EnvVar) []corev1.EnvVar {
	merged := append([]corev1.EnvVar{}, ours...)
	for _, variable := range users {
		merged = setEnv(merged, variable)
	}
	return merged
}

func setEnv(all []corev1.EnvVar, variable corev1.EnvVar) []corev1.EnvVar {
	for index := range all {
		if all[index].Name == variable.Name {
			all[index] = variable
			return all
		}
	}
	return append(all, variable)
}

// literal is text as it stands: Kubernetes would read $(NAME) in a value as a variable.
func literal(text string) string {
	return strings.ReplaceAll(text, "$", "$$")
}

// SpecError is a spec that can't be carried out until somebody mends it.
type SpecError struct{ Reason string }

func (e *SpecError) Error() string { return e.Reason }
