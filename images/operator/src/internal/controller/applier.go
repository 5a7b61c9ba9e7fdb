// Package controller makes the cluster hold what package desired says, and tells in the status how far it is.
package controller

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"waybill/operator/internal/desired"
)

// fieldOwner is our name in managedFields: of fields that carry it, ours is the last word.
const fieldOwner = client.FieldOwner(desired.ManagedBy)

// applier writes objects by server-side apply: what others set beside our fields stays, what they change of ours is set back.
type applier struct {
	client client.Client
	// uncached sees objects that the cache, which holds only ours, does not.
	uncached client.Reader
	scheme   *runtime.Scheme
}

// apply makes the objects be as wanted and takes away those of ours that are wanted no more. The error is a *desired.SpecError where a
// person must act.
func (a applier) apply(ctx context.Context, owner client.Object, wanted, possible desired.Objects) (*appsv1.Deployment, error) {
	keep := map[string]bool{}
	for _, object := range list(wanted) {
		if err := a.applyOne(ctx, owner, object); err != nil {
			return nil, explain(object, err)
		}
		keep[key(object)] = true
	}
	for _, object := range list(possible) {
		if keep[key(object)] {
			continue
		}
		if err := a.prune(ctx, owner, object); err != nil {
			return nil, err
		}
	}
	return wanted.Deployment, nil
}

func (a applier) applyOne(ctx context.Context, owner, object client.Object) error {
	if err := a.refuseForeign(ctx, owner, object); err != nil {
		return err
	}
	if err := controllerutil.SetControllerReference(owner, object, a.scheme); err != nil {
		return err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	// It is the controllers' of Kubernetes.
	delete(content, "status")
	applied := &unstructured.Unstructured{Object: content}
	configuration := client.ApplyConfigurationFromUnstructured(applied)
	if err := a.client.Apply(ctx, configuration, fieldOwner, client.ForceOwnership); err != nil {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(applied.Object, object)
}

// refuseForeign keeps what somebody else made under the name that we want. Our own are in the cache.
func (a applier) refuseForeign(ctx context.Context, owner, object client.Object) error {
	found := object.DeepCopyObject().(client.Object)
	err := a.client.Get(ctx, client.ObjectKeyFromObject(object), found)
	if apierrors.IsNotFound(err) {
		err = a.uncached.Get(ctx, client.ObjectKeyFromObject(object), found)
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil && !metav1.IsControlledBy(found, owner) {
		return &desired.SpecError{Reason: fmt.Sprintf("%s is there already and belongs to somebody else", key(object))}
	}
	return err
}

func (a applier) prune(ctx context.Context, owner, object client.Object) error {
	found := object.DeepCopyObject().(client.Object)
	if err := a.client.Get(ctx, client.ObjectKeyFromObject(object), found); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !metav1.IsControlledBy(found, owner) {
		return nil
	}
	uid := found.GetUID()
	return client.IgnoreNotFound(a.client.Delete(ctx, found, client.Preconditions{UID: &uid}))
}

// explain makes of an object that the API server refuses a fault of the spec: trying again can't mend it.
func explain(object client.Object, err error) error {
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
		return &desired.SpecError{Reason: fmt.Sprintf("%s is refused: %s", key(object), err)}
	}
	if mine, own := errors.AsType[*desired.SpecError](err); own {
		return mine
	}
	return fmt.Errorf("%s: %w", key(object), err)
}

// list has what there is, ConfigMap first: a pod that starts at once finds it.
func list(objects desired.Objects) []client.Object {
	var all []client.Object
	if objects.ConfigMap != nil {
		all = append(all, objects.ConfigMap)
	}
	if objects.Service != nil {
		all = append(all, objects.Service)
	}
	if objects.Deployment != nil {
		all = append(all, objects.Deployment)
	}
	return all
}

func key(object client.Object) string {
	kind := "ConfigMap"
	switch object.(type) {
	case *appsv1.Deployment:
		kind = "Deployment"
	case *corev1.Service:
		kind = "Service"
	}
	return kind + " " + object.GetName()
}

// named is an object of which only the name matters.
func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}
