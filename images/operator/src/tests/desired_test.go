package tests

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"waybill/kaos/v1alpha1"
	"waybill/operator/internal/desired"
)

var defaults = desired.Defaults{
	AgentImage: "agent:1", MCPServerImage: "mcp:1", LiteLLMImage: "litellm:1", OllamaImage: "ollama:1", LogLevel: "INFO",
}

func meta(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "team", Name: name} }

func proxy() *v1alpha1.ModelAPI {
	return &v1alpha1.ModelAPI{ObjectMeta: meta("gpt"), Spec: v1alpha1.ModelAPISpec{
		Mode: v1alpha1.ModeProxy, ProxyConfig: &v1alpha1.ProxyConfig{Models: []string{"gpt-4o", "o3: \"mini\""}},
	}}
}

func hosted() *v1alpha1.ModelAPI {
	return &v1alpha1.ModelAPI{ObjectMeta: meta("smol"), Spec: v1alpha1.ModelAPISpec{
		Mode: v1alpha1.ModeHosted, HostedConfig: &v1alpha1.HostedConfig{Model: "smollm2:135m"},
	}}
}

func environment(container corev1.Container) map[string]string {
	found := map[string]string{}
	for _, variable := range container.Env {
		found[variable.Name] = variable.Value
	}
	return found
}

func expectEnv(t *testing.T, container corev1.Container, want map[string]string) {
	t.Helper()
	got := environment(container)
	if len(got) != len(container.Env) {
		t.Errorf("a variable is there twice: %v", container.Env)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

func TestAnAgentsEnvironmentIsTheContracts(t *testing.T) {
	agent := &v1alpha1.Agent{ObjectMeta: meta("helper"), Spec: v1alpha1.AgentSpec{
		ModelAPI: "smol", Model: "smollm2:135m", MCPServers: []string{"web-search", "files"},
		AgentNetwork: &v1alpha1.AgentNetwork{Access: []string{"my-peer"}},
		Config:       &v1alpha1.AgentConfig{Instructions: "Costs $(HOME) and $5."},
	}}
	objects, err := desired.ForAgent(agent, hosted(), defaults)
	if err != nil {
		t.Fatal(err)
	}
	expectEnv(t, objects.Deployment.Spec.Template.Spec.Containers[0], map[string]string{
		"AGENT_NAME":                  "helper",
		"AGENT_DESCRIPTION":           "",
		"AGENT_INSTRUCTIONS":          "Costs $$(HOME) and $$5.",
		"MODEL_API_URL":               "http://modelapi-smol.team.svc.cluster.local:11434",
		"MODEL_NAME":                  "smollm2:135m",
		"AGENTIC_LOOP_MAX_STEPS":      "5",
		"MCP_SERVERS":                 "files,web-search",
		"MCP_SERVER_web-search_URL":   "http://mcpserver-web-search.team.svc.cluster.local:8000",
		"PEER_AGENTS":                 "my-peer",
		"PEER_AGENT_MY_PEER_CARD_URL": "http://agent-my-peer.team.svc.cluster.local:8000",
		"MEMORY_ENABLED":              "true",
		"MEMORY_MAX_SESSIONS":         "1000",
		"WAYBILL_MODE":                "agent",
	})
	if objects.Service.Name != "agent-helper" || objects.Service.Spec.Ports[0].Port != 8000 {
		t.Errorf("the Service is %v", objects.Service)
	}
}

func TestTheUsersVariablesAndPodSpecWinInThisOrder(t *testing.T) {
	agent := &v1alpha1.Agent{ObjectMeta: meta("a"), Spec: v1alpha1.AgentSpec{
		Container: &v1alpha1.Container{Image: "mine:1", Env: []corev1.EnvVar{{Name: "MODEL_NAME", Value: "mine"}, {Name: "X", Value: "1"}}},
		PodSpec:   &v1alpha1.PodSpec{Raw: []byte(`{"containers":[{"name":"agent","image":"mine:2","env":[{"name":"X","value":"2"}]}]}`)},
	}}
	objects, err := desired.ForAgent(agent, proxy(), defaults)
	if err != nil {
		t.Fatal(err)
	}
	container := objects.Deployment.Spec.Template.Spec.Containers[0]
	if container.Image != "mine:2" {
		t.Errorf("the image is %s", container.Image)
	}
	expectEnv(t, container, map[string]string{"MODEL_NAME": "mine", "X": "2", "AGENT_NAME": "a"})
}

func TestAnAgentThatIsNotExposedHasNoService(t *testing.T) {
	hidden := false
	agent := &v1alpha1.Agent{ObjectMeta: meta("a"), Spec: v1alpha1.AgentSpec{AgentNetwork: &v1alpha1.AgentNetwork{Expose: &hidden}}}
	if objects, err := desired.ForAgent(agent, proxy(), defaults); err != nil || objects.Service != nil {
		t.Errorf("got %v %v", objects.Service, err)
	}
	if endpoint := desired.AgentEndpoint(agent); endpoint != "" {
		t.Errorf("the endpoint is %s", endpoint)
	}
}

func TestAProxyHasItsModelsInAConfigMapWhoseChangeMakesAnotherPod(t *testing.T) {
	api := proxy()
	api.Spec.ProxyConfig.Provider = "nebius"
	api.Spec.ProxyConfig.APIKey = &v1alpha1.APIKey{ValueFrom: &v1alpha1.APIKeyFrom{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "keys"}, Key: "nebius",
	}}}
	one, err := desired.ForModelAPI(api, defaults)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"model_name: gpt-4o", "model: nebius/gpt-4o", `model_name: 'o3: "mini"'`, "api_key: os.environ/PROXY_API_KEY"} {
		if !strings.Contains(one.ConfigMap.Data["config.yaml"], part) {
			t.Errorf("%q is not in\n%s", part, one.ConfigMap.Data["config.yaml"])
		}
	}
	api.Spec.ProxyConfig.Models = []string{"*"}
	other, err := desired.ForModelAPI(api, defaults)
	if err != nil {
		t.Fatal(err)
	}
	hash := "KAOS_CONFIG_SHA256"
	first := environment(one.Deployment.Spec.Template.Spec.Containers[0])[hash]
	if second := environment(other.Deployment.Spec.Template.Spec.Containers[0])[hash]; first == second || first == "" {
		t.Errorf("both have %q", first)
	}
}

func TestAConfigurationInASecretIsMountedFromThere(t *testing.T) {
	api := proxy()
	api.Spec.ProxyConfig.ConfigYaml = &v1alpha1.ConfigYaml{FromSecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "litellm"}, Key: "conf",
	}}
	objects, err := desired.ForModelAPI(api, defaults)
	if err != nil || objects.ConfigMap != nil {
		t.Fatalf("got %v %v", objects.ConfigMap, err)
	}
	volume := objects.Deployment.Spec.Template.Spec.Volumes[0]
	if volume.Secret == nil || volume.Secret.SecretName != "litellm" || volume.Secret.Items[0].Path != "config.yaml" {
		t.Errorf("the volume is %v", volume)
	}
}

func TestAHostedModelIsPulledBeforeAndIsNoPartOfTheScript(t *testing.T) {
	api := hosted()
	objects, err := desired.ForModelAPI(api, defaults)
	if err != nil {
		t.Fatal(err)
	}
	pod := objects.Deployment.Spec.Template.Spec
	pull := pod.InitContainers[0]
	expectEnv(t, pull, map[string]string{"OLLAMA_MODEL": "smollm2:135m"})
	if strings.Contains(strings.Join(pull.Command, " "), "smollm2") {
		t.Errorf("the command is %v", pull.Command)
	}
	if objects.ConfigMap != nil || objects.Service.Spec.Ports[0].Port != 11434 || pod.Containers[0].Image != "ollama:1" {
		t.Errorf("got %v", objects)
	}
}

func TestAnMCPServerRunsWhatItsRuntimeSays(t *testing.T) {
	server := func(runtime string) *v1alpha1.MCPServer {
		return &v1alpha1.MCPServer{ObjectMeta: meta("tools"), Spec: v1alpha1.MCPServerSpec{Runtime: runtime, Params: "def f(): pass"}}
	}
	registry := map[string]desired.Runtime{"slack": {Image: "slack:1", Args: []string{"--port", "8000"}, ParamsEnvVar: "SLACK"}}

	python, err := desired.ForMCPServer(server("python-string"), registry, defaults)
	if err != nil {
		t.Fatal(err)
	}
	container := python.Deployment.Spec.Template.Spec.Containers[0]
	expectEnv(t, container, map[string]string{"MCP_TOOLS_STRING": "def f(): pass", "WAYBILL_MODE": "mcp-server"})
	if container.Image != "mcp:1" {
		t.Errorf("the image is %s", container.Image)
	}
	slack, err := desired.ForMCPServer(server("slack"), registry, defaults)
	if err != nil {
		t.Fatal(err)
	}
	expectEnv(t, slack.Deployment.Spec.Template.Spec.Containers[0], map[string]string{"SLACK": "def f(): pass"})

	_, err = desired.ForMCPServer(server("nope"), registry, defaults)
	if _, refused := errors.AsType[*desired.SpecError](err); !refused || !strings.Contains(err.Error(), `no runtime "nope"`) {
		t.Errorf("got %v", err)
	}
}

func TestEveryPodIsRestricted(t *testing.T) {
	agent, err := desired.ForAgent(&v1alpha1.Agent{ObjectMeta: meta("a")}, proxy(), defaults)
	server, err2 := desired.ForMCPServer(&v1alpha1.MCPServer{ObjectMeta: meta("m"), Spec: v1alpha1.MCPServerSpec{Runtime: "python-string"}}, nil, defaults)
	one, err3 := desired.ForModelAPI(proxy(), defaults)
	other, err4 := desired.ForModelAPI(hosted(), defaults)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	for _, objects := range []desired.Objects{agent, server, one, other} {
		pod := objects.Deployment.Spec.Template.Spec
		if !*pod.SecurityContext.RunAsNonRoot || pod.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || *pod.AutomountServiceAccountToken {
			t.Errorf("%s: the pod is not restricted", objects.Deployment.Name)
		}
		for _, container := range append(pod.InitContainers, pod.Containers...) {
			context := container.SecurityContext
			if *context.AllowPrivilegeEscalation || context.Capabilities.Drop[0] != "ALL" {
				t.Errorf("%s: container %s is not restricted", objects.Deployment.Name, container.Name)
			}
		}
	}
}
