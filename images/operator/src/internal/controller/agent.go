package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"waybill/kaos/check"
	"waybill/kaos/v1alpha1"
	"waybill/operator/internal/desired"
)

// Agents reconciles the kind Agent.
type Agents struct {
	applier
	defaults desired.Defaults
}

// Reconcile makes one Agent's objects.
func (r *Agents) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	agent := &v1alpha1.Agent{}
	if err := r.client.Get(ctx, request.NamespacedName, agent); err != nil || agent.DeletionTimestamp != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := agent.DeepCopy()
	result, trouble := r.carryOut(ctx, agent)
	result.trouble = trouble
	result.tell(&agent.Status.Status, agent.Generation)
	agent.Status.LinkedResources = linked(agent)
	if err := write(ctx, r.client, before, agent); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, trouble
}

func (r *Agents) carryOut(ctx context.Context, agent *v1alpha1.Agent) (outcome, error) {
	result := outcome{endpoint: desired.AgentEndpoint(agent), waiting: &[]string{}}
	current, err := r.current(ctx, agent, "agent-"+agent.Name)
	if err != nil {
		return result, err
	}
	result.deployment = current
	if found := check.Agent(agent); len(found) > 0 {
		result.refused = found.ToAggregate()
		return result, nil
	}
	needs, err := r.needs(ctx, agent)
	if err != nil {
		return result, err
	}
	result.waiting = &needs.missing
	if needs.api != nil && !check.Serves(desired.Models(needs.api), agent.Spec.Model) {
		result.refused = fmt.Errorf("model %s is not served by ModelAPI %s: it has %s",
			agent.Spec.Model, needs.api.Name, strings.Join(desired.Models(needs.api), ", "))
		return result, nil
	}
	if needs.api == nil || current == nil && waits(agent) && len(needs.missing) > 0 {
		return result, nil
	}
	objects, err := desired.ForAgent(agent, needs.api, r.defaults)
	if err == nil {
		meta := named(agent.Namespace, "agent-"+agent.Name)
		possible := desired.Objects{Service: &corev1.Service{ObjectMeta: meta}}
		var applied *appsv1.Deployment
		if applied, err = r.apply(ctx, agent, objects, possible); err == nil {
			result.deployment = applied
		}
	}
	return result, result.settle(err)
}

// current is the Deployment, if it is there and the owner's.
func (a applier) current(ctx context.Context, owner client.Object, name string) (*appsv1.Deployment, error) {
	deployment := &appsv1.Deployment{}
	err := a.client.Get(ctx, client.ObjectKey{Namespace: owner.GetNamespace(), Name: name}, deployment)
	if err != nil || !metav1.IsControlledBy(deployment, owner) {
		return nil, client.IgnoreNotFound(err)
	}
	return deployment, nil
}

func waits(agent *v1alpha1.Agent) bool {
	return agent.Spec.WaitForDependencies == nil || *agent.Spec.WaitForDependencies
}

func linked(agent *v1alpha1.Agent) map[string]string {
	links := map[string]string{"modelapi": agent.Spec.ModelAPI}
	for kind, names := range map[string][]string{"mcpservers": agent.Spec.MCPServers, "peers": desired.Peers(agent)} {
		if len(names) > 0 {
			links[kind] = strings.Join(slices.Sorted(slices.Values(names)), ",")
		}
	}
	return links
}
