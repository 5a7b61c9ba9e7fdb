package desired

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"waybill/kaos/check"
	"waybill/kaos/v1alpha1"
)

// Runtime is an entry of the registry of runtimes: the ConfigMap kaos-mcp-runtimes, as KAOS has it.
type Runtime struct {
	Image   string   `json:"image"`
	Command []string `json:"command"`
	Args    []string `json:"args"`
	// ParamsEnvVar is the variable that takes spec.params.
	ParamsEnvVar string `json:"paramsEnvVar"`
}

// ForMCPServer gives an MCPServer's objects.
// runtimes is the registry, which may be without entries.
func ForMCPServer(server *v1alpha1.MCPServer, runtimes map[string]Runtime, defaults Defaults) (Objects, error) {
	runtime, err := runtimeOf(server, runtimes, defaults)
	if err != nil {
		return Objects{}, err
	}
	env := variables{}
	env.set("WAYBILL_MODE", "mcp-server")
	env.set("HOME", "/tmp")
	env.set("MCP_SERVER_NAME", server.Name)
	if runtime.ParamsEnvVar != "" {
		env.setIfAny(runtime.ParamsEnvVar, server.Spec.Params)
	}
	env.set("LOG_LEVEL", defaults.LogLevel)
	container := corev1.Container{
		Name: check.MCPContainer, Image: runtime.Image, Command: runtime.Command, Args: runtime.Args,
		Ports: ports(portHTTP), Env: env.all, SecurityContext: locked(true),
	}
	// Of a server that anybody wrote it is known only that it listens.
	probes(&container, tcp(), tcp())
	pod := restricted(container)
	if account := server.Spec.ServiceAccountName; account != "" {
		pod.ServiceAccountName = account
		pod.AutomountServiceAccountToken = to(true)
	}
	wanted := workload{
		app: "mcpserver", owner: server, port: portHTTP, pod: pod,
		container: server.Spec.Container, patch: server.Spec.PodSpec,
	}
	deployment, err := wanted.deployment()
	return Objects{Deployment: deployment, Service: wanted.service()}, err
}

func runtimeOf(server *v1alpha1.MCPServer, runtimes map[string]Runtime, defaults Defaults) (Runtime, error) {
	name := server.Spec.Runtime
	if runtime, known := runtimes[name]; known {
		return runtime, nil
	}
	switch name {
	case v1alpha1.RuntimePythonString:
		return Runtime{Image: defaults.MCPServerImage, ParamsEnvVar: "MCP_TOOLS_STRING"}, nil
	case v1alpha1.RuntimeCustom:
		if server.Spec.Container == nil || server.Spec.Container.Image == "" {
			return Runtime{}, &SpecError{"runtime custom needs container.image"}
		}
		return Runtime{Image: server.Spec.Container.Image}, nil
	}
	return Runtime{}, &SpecError{fmt.Sprintf("there is no runtime %q: it is neither python-string nor custom nor in the ConfigMap kaos-mcp-runtimes", name)}
}
