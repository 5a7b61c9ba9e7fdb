package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"waybill/kaos/v1alpha1"
	"waybill/operator/internal/desired"
)

// outcome is what a reconciliation came to.
type outcome struct {
	// refused is the spec's fault, if it has one.
	refused error
	// waiting are the objects that the pods wait for, each with its reason. Nil for kinds that wait for none.
	waiting *[]string
	// deployment as the API server has it; nil before the first is made.
	deployment *appsv1.Deployment
	endpoint   string
	// trouble is what may be better at the next try.
	trouble error
}

// tell makes the outcome the status's conditions, phase and message.
func (o outcome) tell(status *v1alpha1.Status, generation int64) {
	status.ObservedGeneration = generation
	status.Endpoint = o.endpoint
	status.Deployment = countsOf(o.deployment)
	set := func(kind string, is bool, reason, message string) {
		value := metav1.ConditionFalse
		if is {
			value = metav1.ConditionTrue
		}
		meta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: kind, Status: value, Reason: reason, Message: message, ObservedGeneration: generation,
		})
	}
	set(v1alpha1.ConditionAccepted, o.refused == nil, pick(o.refused == nil, "Accepted", "Refused"), o.refusal())
	if o.waiting != nil {
		ready := len(*o.waiting) == 0
		set(v1alpha1.ConditionDependenciesReady, ready, pick(ready, "Ready", "Waiting"), strings.Join(*o.waiting, "; "))
	}
	available, why := availability(o.deployment)
	if o.trouble != nil && !available {
		why = o.trouble.Error()
	}
	set(v1alpha1.ConditionAvailable, available, pick(available, "Available", "Unavailable"), why)

	status.Phase, status.Message = o.phase(available, why)
	status.Ready = status.Phase == v1alpha1.PhaseReady
	set(v1alpha1.ConditionReady, status.Ready, string(status.Phase), status.Message)
}

// phase: a spec that can't be carried out comes first, as no waiting mends it. Pods that answer are ready even while something they
// use is not: they were let start.
func (o outcome) phase(available bool, why string) (v1alpha1.Phase, string) {
	waits := o.waiting != nil && len(*o.waiting) > 0
	switch {
	case o.refused != nil:
		return v1alpha1.PhaseFailed, o.refusal()
	case available && waits:
		return v1alpha1.PhaseReady, "ready, but " + strings.Join(*o.waiting, "; ")
	case available:
		return v1alpha1.PhaseReady, why
	case waits:
		return v1alpha1.PhaseWaiting, "waits: " + strings.Join(*o.waiting, "; ")
	}
	return v1alpha1.PhasePending, why
}

func (o outcome) refusal() string {
	if o.refused == nil {
		return ""
	}
	return o.refused.Error()
}

func availability(deployment *appsv1.Deployment) (bool, string) {
	if deployment == nil {
		return false, "there is no Deployment yet"
	}
	wanted := int32(1)
	if deployment.Spec.Replicas != nil {
		wanted = *deployment.Spec.Replicas
	}
	for _, condition := range deployment.Status.Conditions {
		failing := condition.Type == appsv1.DeploymentReplicaFailure && condition.Status == corev1.ConditionTrue
		if failing || condition.Reason == "ProgressDeadlineExceeded" {
			return deployment.Status.ReadyReplicas > 0, condition.Message
		}
	}
	return deployment.Status.ReadyReplicas > 0, fmt.Sprintf("%d of %d pods are ready", deployment.Status.ReadyReplicas, wanted)
}

func countsOf(deployment *appsv1.Deployment) *v1alpha1.DeploymentStatus {
	if deployment == nil {
		return nil
	}
	return &v1alpha1.DeploymentStatus{
		Replicas:          deployment.Status.Replicas,
		ReadyReplicas:     deployment.Status.ReadyReplicas,
		AvailableReplicas: deployment.Status.AvailableReplicas,
		UpdatedReplicas:   deployment.Status.UpdatedReplicas,
	}
}

// write sends the status if it says something new; before is the object as it was read.
func write(ctx context.Context, writer client.Client, before, after client.Object) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	return client.IgnoreNotFound(writer.Status().Patch(ctx, after, client.MergeFrom(before)))
}

// settle takes a fault of the spec into the outcome; any other error is for trying again.
func (o *outcome) settle(err error) error {
	if fault, refused := errors.AsType[*desired.SpecError](err); refused {
		o.refused = fault
		return nil
	}
	return err
}

func pick(first bool, one, other string) string {
	if first {
		return one
	}
	return other
}
