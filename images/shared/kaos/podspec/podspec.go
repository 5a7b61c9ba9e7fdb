// Package podspec merges what a user writes under podSpec into the pod spec that the operator generates, as `kubectl patch` would:
// lists of containers, variables and volumes by name.
package podspec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// Merge gives base with the patch (JSON) applied. The error says what of the patch makes no sense.
func Merge(base corev1.PodSpec, patch []byte) (corev1.PodSpec, error) {
	if len(patch) == 0 || bytes.Equal(patch, []byte("null")) {
		return base, nil
	}
	original, err := json.Marshal(base)
	if err != nil {
		return base, err
	}
	merged, err := strategicpatch.StrategicMergePatch(original, patch, corev1.PodSpec{})
	if err != nil {
		return base, fmt.Errorf("it can't be merged: %w", err)
	}
	var result corev1.PodSpec
	if err := strict(merged, &result); err != nil {
		return base, err
	}
	return result, complete(base, result)
}

func strict(data []byte, into *corev1.PodSpec) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return fmt.Errorf("%s is a %s, not a %s", wrong.Field, wrong.Type, wrong.Value)
		}
		return fmt.Errorf("it is no pod spec: %w", err)
	}
	return nil
}

// complete finds what a patch can leave without its other half: a container that is only named, a generated one that is gone.
func complete(base, merged corev1.PodSpec) error {
	named := map[string]bool{}
	for _, container := range append(append([]corev1.Container{}, merged.InitContainers...), merged.Containers...) {
		if container.Image == "" {
			return fmt.Errorf("container %q has no image, and the operator makes no container of that name", container.Name)
		}
		named[container.Name] = true
	}
	for _, container := range base.Containers {
		if !named[container.Name] {
			return fmt.Errorf("it takes away container %q", container.Name)
		}
	}
	return nil
}
