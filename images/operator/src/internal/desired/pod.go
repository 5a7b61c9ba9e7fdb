package desired

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// nonroot is the user and group of all pods: images of third parties would run as root otherwise.
const nonroot = int64(65532)

// portHTTP is what agents, MCP servers and LiteLLM listen on.
const portHTTP = int32(8000)

// restricted is a pod that the Pod Security Standard "restricted" lets in, with a /tmp.
func restricted(container corev1.Container, volumes ...corev1.Volume) corev1.PodSpec {
	container.ImagePullPolicy = corev1.PullIfNotPresent
	container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: "tmp", MountPath: "/tmp"})
	return corev1.PodSpec{
		AutomountServiceAccountToken: to(false),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   to(true),
			RunAsUser:      to(nonroot),
			RunAsGroup:     to(nonroot),
			FSGroup:        to(nonroot),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{container},
		Volumes:    append(volumes, emptyDir("tmp")),
	}
}

// locked is the security context of a container. Of programs that aren't ours the root file system may be written to: some must.
func locked(readOnly bool) *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: to(false),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		ReadOnlyRootFilesystem:   to(readOnly),
	}
}

func emptyDir(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

func ports(number int32) []corev1.ContainerPort {
	return []corev1.ContainerPort{{Name: "http", ContainerPort: number, Protocol: corev1.ProtocolTCP}}
}

// probe looks often enough that a pod is ready soon; limits are wide enough for a node that is busy.
func probe(handler corev1.ProbeHandler, every, failures int32) *corev1.Probe {
	return &corev1.Probe{ProbeHandler: handler, PeriodSeconds: every, TimeoutSeconds: 5, FailureThreshold: failures}
}

func httpGet(path string) corev1.ProbeHandler {
	return corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
		Path: path, Port: intstr.FromString("http"), Scheme: corev1.URISchemeHTTP,
	}}
}

func tcp() corev1.ProbeHandler {
	return corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("http")}}
}

// probes: a start that takes long (a model is read) isn't a fault, so that liveness begins after it.
func probes(container *corev1.Container, live, ready corev1.ProbeHandler) {
	container.StartupProbe = probe(live, 2, 150)
	container.LivenessProbe = probe(live, 10, 3)
	container.ReadinessProbe = probe(ready, 5, 3)
}

func to[T any](value T) *T { return &value }
