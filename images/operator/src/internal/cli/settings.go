package cli

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client/config"

	"waybill/operator/internal/desired"
)

// settings are of mode manager.
type settings struct {
	leaderElect bool
	metrics     string
	probes      string
	explorer    string
	ui          string
	// namespace is the operator's own; empty outside of a cluster.
	namespace string
	defaults  desired.Defaults
}

// Where the image has the explorer's files, and where a pod finds the name of its namespace.
const (
	uiFolder      = "/usr/local/share/operator/ui"
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

func managerFlags(into *settings) *flag.FlagSet {
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	config.RegisterFlags(flags)
	flags.BoolVar(&into.leaderElect, "leader-elect", false, "of several operators one works and the others stand by")
	flags.StringVar(&into.metrics, "metrics-bind-address", ":8080", "address of /metrics; 0 for none")
	flags.StringVar(&into.probes, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	flags.StringVar(&into.explorer, "explorer-bind-address", "0", "address of /explorer/, which shows the kinds' OpenAPI; 0 for none")
	flags.StringVar(&into.ui, "explorer-files", uiFolder, "folder of the explorer's files")
	return flags
}

// readEnvironment: images have no defaults of the program's own, as those would be of other releases some day.
func (s *settings) readEnvironment(getenv func(string) string) error {
	s.defaults.LogLevel = "INFO"
	if level := getenv("DEFAULT_LOG_LEVEL"); level != "" {
		s.defaults.LogLevel = strings.ToUpper(level)
	}
	var missing []string
	for name, image := range map[string]*string{
		"DEFAULT_AGENT_IMAGE":      &s.defaults.AgentImage,
		"DEFAULT_MCP_SERVER_IMAGE": &s.defaults.MCPServerImage,
		"DEFAULT_LITELLM_IMAGE":    &s.defaults.LiteLLMImage,
		"DEFAULT_OLLAMA_IMAGE":     &s.defaults.OllamaImage,
	} {
		if *image = getenv(name); *image == "" {
			missing = append(missing, name)
		}
	}
	s.namespace = getenv("SYSTEM_NAMESPACE")
	if text, err := os.ReadFile(namespaceFile); s.namespace == "" && err == nil {
		s.namespace = strings.TrimSpace(string(text))
	}
	if len(missing) > 0 {
		return fmt.Errorf("the environment lacks the images of %s", sorted(missing))
	}
	if s.leaderElect && s.namespace == "" {
		return fmt.Errorf("--leader-elect needs SYSTEM_NAMESPACE outside of a cluster: the Lease lies there")
	}
	return nil
}
