package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"waybill/kaos/check"
	"waybill/kaos/v1alpha1"
	"waybill/operator/internal/desired"
)

// ModelAPIs reconciles the kind ModelAPI.
type ModelAPIs struct {
	applier
	defaults desired.Defaults
}

// Reconcile makes one ModelAPI's objects.
func (r *ModelAPIs) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	api := &v1alpha1.ModelAPI{}
	if err := r.client.Get(ctx, request.NamespacedName, api); err != nil || api.DeletionTimestamp != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := api.DeepCopy()
	result, trouble := r.carryOut(ctx, api)
	result.trouble = trouble
	result.tell(&api.Status.Status, api.Generation)
	if err := write(ctx, r.client, before, api); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, trouble
}

func (r *ModelAPIs) carryOut(ctx context.Context, api *v1alpha1.ModelAPI) (outcome, error) {
	result := outcome{endpoint: desired.ModelAPIEndpoint(api)}
	current, err := r.current(ctx, api, "modelapi-"+api.Name)
	if err != nil {
		return result, err
	}
	result.deployment = current
	if found := check.ModelAPI(api); len(found) > 0 {
		result.refused = found.ToAggregate()
		return result, nil
	}
	objects, err := desired.ForModelAPI(api, r.defaults)
	if err == nil {
		possible := desired.Objects{ConfigMap: &corev1.ConfigMap{ObjectMeta: named(api.Namespace, desired.LiteLLMConfigMap(api))}}
		deployment, failed := r.apply(ctx, api, objects, possible)
		if err = failed; err == nil {
			result.deployment = deployment
		}
	}
	return result, result.settle(err)
}
