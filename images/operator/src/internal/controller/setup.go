package controller

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"waybill/kaos/v1alpha1"
	"waybill/operator/internal/desired"
)

// +kubebuilder:rbac:groups=kaos.tools,resources=agents;mcpservers;modelapis,verbs=get;list;watch
// +kubebuilder:rbac:groups=kaos.tools,resources=agents/status;mcpservers/status;modelapis/status,verbs=get;update;patch
// +kubebuilder:rbac:groups=kaos.tools,resources=agents/finalizers;mcpservers/finalizers;modelapis/finalizers,verbs=update
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=services;configmaps,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Scheme has the types that the operator reads and writes, and no others: each costs memory and start-up time.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	builder := runtime.NewSchemeBuilder(corev1.AddToScheme, appsv1.AddToScheme, v1alpha1.AddToScheme)
	return scheme, builder.AddToScheme(scheme)
}

// Setup puts the three controllers into a manager.
// namespace is the operator's own; empty where it runs in none.
func Setup(manager ctrl.Manager, defaults desired.Defaults, namespace string) error {
	base := applier{client: manager.GetClient(), uncached: manager.GetAPIReader(), scheme: manager.GetScheme()}
	if err := controllerFor(manager, &v1alpha1.ModelAPI{}).Owns(&corev1.ConfigMap{}).Complete(&ModelAPIs{base, defaults}); err != nil {
		return err
	}
	if err := controllerFor(manager, &v1alpha1.MCPServer{}).Complete(&MCPServers{base, defaults, namespace}); err != nil {
		return err
	}
	agents := &Agents{base, defaults}
	return controllerFor(manager, &v1alpha1.Agent{}).
		Watches(&v1alpha1.ModelAPI{}, agents.those(func(agent *v1alpha1.Agent, name string) bool {
			return agent.Spec.ModelAPI == name
		})).
		Watches(&v1alpha1.MCPServer{}, agents.those(func(agent *v1alpha1.Agent, name string) bool {
			return slices.Contains(agent.Spec.MCPServers, name)
		})).
		Watches(&v1alpha1.Agent{}, agents.those(func(agent *v1alpha1.Agent, name string) bool {
			return slices.Contains(desired.Peers(agent), name)
		})).
		Complete(agents)
}

// controllerFor watches a kind's spec, and whatever becomes of the objects that it stands for.
func controllerFor(manager ctrl.Manager, kind client.Object) *builder.Builder {
	return ctrl.NewControllerManagedBy(manager).
		For(kind, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{})
}

// those gives the agents of the object's namespace that name it.
func (r *Agents) those(name func(*v1alpha1.Agent, string) bool) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, changed client.Object) []reconcile.Request {
		agents := &v1alpha1.AgentList{}
		// The cache answers: an error means that it is being stopped.
		if err := r.client.List(ctx, agents, client.InNamespace(changed.GetNamespace())); err != nil {
			return nil
		}
		var requests []reconcile.Request
		for _, agent := range agents.Items {
			if name(&agent, changed.GetName()) {
				requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: agent.Namespace, Name: agent.Name}})
			}
		}
		return requests
	})
}
