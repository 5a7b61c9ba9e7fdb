package desired

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// ollamaModels is where both containers of the pod keep models.
const ollamaModels = "/models"

// pullModel runs Ollama's server for as long as a pull takes. The model's name comes as a variable: it is no part of the script.
const pullModel = `ollama serve & server=$!
until ollama list >/dev/null 2>&1; do kill -0 "$server" || exit 1; sleep 1; done
ollama pull "$OLLAMA_MODEL"; status=$?
kill "$server"; wait "$server"; exit "$status"`

// ollamaPod pulls the model before the server starts, so that a pod that is ready has it.
func ollamaPod(model, image string, defaults Defaults) corev1.PodSpec {
	env := variables{}
	env.set("HOME", "/tmp")
	env.set("OLLAMA_HOST", "0.0.0.0:11434")
	env.set("OLLAMA_MODELS", ollamaModels)
	env.setIfAny("OLLAMA_DEBUG", map[string]string{"TRACE": "2", "DEBUG": "1"}[strings.ToUpper(defaults.LogLevel)])
	mount := corev1.VolumeMount{Name: "models", MountPath: ollamaModels}

	container := modelAPIContainer(image, portOllama, env, httpGet("/"))
	container.SecurityContext = locked(true)
	container.VolumeMounts = []corev1.VolumeMount{mount}
	pod := restricted(container, emptyDir("models"))

	pull := pod.Containers[0].DeepCopy()
	env.set("OLLAMA_MODEL", model)
	env.set("OLLAMA_HOST", "127.0.0.1:11434")
	pod.InitContainers = []corev1.Container{{
		Name: "pull-model", Image: image, ImagePullPolicy: pull.ImagePullPolicy,
		Command: []string{"/bin/sh", "-c", strings.ReplaceAll(pullModel, "$", "$$")},
		Env:     env.all, VolumeMounts: pull.VolumeMounts, SecurityContext: locked(true),
	}}
	return pod
}
