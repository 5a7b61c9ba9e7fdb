package desired

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"waybill/kaos/v1alpha1"
)

// variables are an environment in the making; what is in it stands as it is, whatever it looks like to Kubernetes.
type variables struct{ all []corev1.EnvVar }

func (v *variables) set(name, value string) {
	v.all = setEnv(v.all, corev1.EnvVar{Name: name, Value: literal(value)})
}

func (v *variables) setIfAny(name, value string) {
	if value != "" {
		v.set(name, value)
	}
}

// endpoint is a Service's base URL inside the cluster: a function of names, so that nobody waits to learn it.
func endpoint(app, name, namespace string, port int32) string {
	return fmt.Sprintf("http://%s-%s.%s.svc.cluster.local:%d", app, name, namespace, port)
}

// AgentEndpoint is empty where no other agent can reach it.
func AgentEndpoint(agent *v1alpha1.Agent) string {
	if !Exposed(agent) {
		return ""
	}
	return endpoint("agent", agent.Name, agent.Namespace, portHTTP)
}

// MCPServerEndpoint is where agents find its tools, below /mcp.
func MCPServerEndpoint(server *v1alpha1.MCPServer) string {
	return endpoint("mcpserver", server.Name, server.Namespace, portHTTP)
}

// ModelAPIEndpoint is where OpenAI's API is, below /v1.
func ModelAPIEndpoint(api *v1alpha1.ModelAPI) string {
	return endpoint("modelapi", api.Name, api.Namespace, modelAPIPort(api))
}
