package desired

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"waybill/kaos/check"
	"waybill/kaos/v1alpha1"
)

// ForAgent gives an Agent's objects. Its environment is in images/shared/kaos/CONTRACT.md.
func ForAgent(agent *v1alpha1.Agent, api *v1alpha1.ModelAPI, defaults Defaults) (Objects, error) {
	container := corev1.Container{
		Name:            check.AgentContainer,
		Image:           defaults.AgentImage,
		Ports:           ports(portHTTP),
		Env:             agentEnv(agent, api, defaults),
		SecurityContext: locked(true),
	}
	probes(&container, httpGet("/health"), httpGet("/ready"))
	wanted := workload{
		app: "agent", owner: agent, port: portHTTP, pod: restricted(container),
		container: agent.Spec.Container, patch: agent.Spec.PodSpec,
	}
	deployment, err := wanted.deployment()
	if err != nil {
		return Objects{}, err
	}
	objects := Objects{Deployment: deployment}
	if Exposed(agent) {
		objects.Service = wanted.service()
	}
	return objects, nil
}

// Exposed tells whether other agents can reach it.
func Exposed(agent *v1alpha1.Agent) bool {
	network := agent.Spec.AgentNetwork
	return network == nil || network.Expose == nil || *network.Expose
}

func agentEnv(agent *v1alpha1.Agent, api *v1alpha1.ModelAPI, defaults Defaults) []corev1.EnvVar {
	config := agent.Spec.Config
	if config == nil {
		config = &v1alpha1.AgentConfig{}
	}
	env := variables{}
	env.set("WAYBILL_MODE", "agent")
	env.set("HOME", "/tmp")
	env.set("AGENT_NAME", agent.Name)
	env.setIfAny("AGENT_DESCRIPTION", config.Description)
	env.setIfAny("AGENT_INSTRUCTIONS", config.Instructions)
	env.set("MODEL_API_URL", ModelAPIEndpoint(api))
	env.set("MODEL_NAME", agent.Spec.Model)
	env.set("AGENTIC_LOOP_MAX_STEPS", number(config.ReasoningLoopMaxSteps, 5))
	env.memory(config.Memory)
	env.servers(agent)
	env.peers(agent)
	env.set("AGENT_LOG_LEVEL", defaults.LogLevel)
	env.set("LOG_LEVEL", defaults.LogLevel)
	return env.all
}

// memory is always told in full: an agent that is asked what it does needs no defaults of its own.
func (v *variables) memory(memory *v1alpha1.AgentMemory) {
	if memory == nil {
		memory = &v1alpha1.AgentMemory{}
	}
	kind := memory.Type
	if kind == "" {
		kind = "local"
	}
	v.set("MEMORY_ENABLED", strconv.FormatBool(memory.Enabled == nil || *memory.Enabled))
	v.set("MEMORY_TYPE", kind)
	v.set("MEMORY_CONTEXT_LIMIT", number(memory.ContextLimit, 6))
	v.set("MEMORY_MAX_SESSIONS", number(memory.MaxSessions, 1000))
	v.set("MEMORY_MAX_SESSION_EVENTS", number(memory.MaxSessionEvents, 500))
}

func (v *variables) servers(agent *v1alpha1.Agent) {
	names := slices.Sorted(slices.Values(agent.Spec.MCPServers))
	v.setIfAny("MCP_SERVERS", strings.Join(names, ","))
	for _, name := range names {
		v.set("MCP_SERVER_"+name+"_URL", endpoint("mcpserver", name, agent.Namespace, portHTTP))
	}
}

func (v *variables) peers(agent *v1alpha1.Agent) {
	names := slices.Sorted(slices.Values(Peers(agent)))
	v.setIfAny("PEER_AGENTS", strings.Join(names, ","))
	for _, name := range names {
		variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		v.set("PEER_AGENT_"+variable+"_CARD_URL", endpoint("agent", name, agent.Namespace, portHTTP))
	}
}

// Peers are the names of the agents that this one may call.
func Peers(agent *v1alpha1.Agent) []string {
	if agent.Spec.AgentNetwork == nil {
		return nil
	}
	return agent.Spec.AgentNetwork.Access
}

func number(value *int32, otherwise int) string {
	if value == nil {
		return strconv.Itoa(otherwise)
	}
	return strconv.Itoa(int(*value))
}
