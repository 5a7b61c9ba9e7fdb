package images

import (
	"encoding/json"
	"strconv"

	admission "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"

	"waybill/webhook/internal/admit"
)

// annotation keeps the images as they were written, by container, for people who wonder.
const annotation = "waybill.dev/images-as-written"

// Pods rewrites the images of pods by the rules of the moment.
func Pods(rules func() *Rules) admit.Handler {
	return func(request *admission.AdmissionRequest) (admit.Answer, error) {
		if request.Kind.Kind != "Pod" || len(request.Object.Raw) == 0 {
			return admit.Answer{}, nil
		}
		pod, err := admit.Decode[corev1.Pod](request.Object)
		if err != nil {
			return admit.Answer{}, err
		}
		changed, err := rewrite(pod, rules()).JSON()
		return admit.Answer{Changed: changed}, err
	}
}

func rewrite(pod *corev1.Pod, rules *Rules) admit.Patch {
	patch := admit.Patch{}
	written := map[string]string{}
	each := func(list string, index int, name, image string) {
		if image == "" {
			return
		}
		if better := rules.Rewrite(image); better != image {
			patch.Add(better, "spec", list, strconv.Itoa(index), "image")
			written[name] = image
		}
	}
	for index, container := range pod.Spec.InitContainers {
		each("initContainers", index, container.Name, container.Image)
	}
	for index, container := range pod.Spec.Containers {
		each("containers", index, container.Name, container.Image)
	}
	if len(written) == 0 {
		return patch
	}
	if pod.Annotations == nil {
		patch.Add(map[string]string{}, "metadata", "annotations")
	}
	// A map of strings always marshals, its keys in order.
	text, _ := json.Marshal(written)
	patch.Add(string(text), "metadata", "annotations", annotation)
	return patch
}
