package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"waybill/kaos/check"
	"waybill/kaos/v1alpha1"
	"waybill/operator/internal/desired"
)

// The registry of runtimes: a ConfigMap in the operator's namespace, as KAOS's chart makes it.
const (
	runtimesConfigMap = "kaos-mcp-runtimes"
	runtimesKey       = "runtimes.yaml"
)

// MCPServers reconciles the kind MCPServer.
type MCPServers struct {
	applier
	defaults desired.Defaults
	// namespace is the operator's; empty where it runs in none.
	namespace string
}

// Reconcile makes one MCPServer's objects.
func (r *MCPServers) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	server := &v1alpha1.MCPServer{}
	if err := r.client.Get(ctx, request.NamespacedName, server); err != nil || server.DeletionTimestamp != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := server.DeepCopy()
	result, trouble := r.carryOut(ctx, server)
	result.trouble = trouble
	result.tell(&server.Status.Status, server.Generation)
	if err := write(ctx, r.client, before, server); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: lookAgain(server)}, trouble
}

func (r *MCPServers) carryOut(ctx context.Context, server *v1alpha1.MCPServer) (outcome, error) {
	result := outcome{endpoint: desired.MCPServerEndpoint(server)}
	current, err := r.current(ctx, server, "mcpserver-"+server.Name)
	if err != nil {
		return result, err
	}
	result.deployment = current
	if found := check.MCPServer(server); len(found) > 0 {
		result.refused = found.ToAggregate()
		return result, nil
	}
	runtimes, err := r.runtimes(ctx, server.Spec.Runtime)
	if err != nil {
		return result, result.settle(err)
	}
	objects, err := desired.ForMCPServer(server, runtimes, r.defaults)
	if err == nil {
		deployment, failed := r.apply(ctx, server, objects, desired.Objects{})
		if err = failed; err == nil {
			result.deployment = deployment
		}
	}
	return result, result.settle(err)
}

// lookAgain bounds how long a change of the registry is overlooked: it is no object of ours, so it isn't watched.
func lookAgain(server *v1alpha1.MCPServer) time.Duration {
	if builtIn := server.Spec.Runtime == v1alpha1.RuntimePythonString || server.Spec.Runtime == v1alpha1.RuntimeCustom; builtIn {
		return 0
	}
	return time.Minute
}

// runtimes reads the registry, but for custom, which needs none.
func (r *MCPServers) runtimes(ctx context.Context, runtime string) (map[string]desired.Runtime, error) {
	if runtime == v1alpha1.RuntimeCustom || r.namespace == "" {
		return nil, nil
	}
	registry := &corev1.ConfigMap{}
	err := r.uncached.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: runtimesConfigMap}, registry)
	if err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	var parsed struct {
		Runtimes map[string]desired.Runtime `json:"runtimes"`
	}
	if err := yaml.Unmarshal([]byte(registry.Data[runtimesKey]), &parsed); err != nil {
		return nil, &desired.SpecError{Reason: fmt.Sprintf("ConfigMap %s/%s has no YAML in %s: %v", r.namespace, runtimesConfigMap, runtimesKey, err)}
	}
	return parsed.Runtimes, nil
}
