package tests

import (
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"waybill/kaos/podspec"
)

func base() corev1.PodSpec {
	return corev1.PodSpec{
		Containers: []corev1.Container{{
			Name:  "agent",
			Image: "default:1",
			Env:   []corev1.EnvVar{{Name: "AGENT_NAME", Value: "a"}},
		}},
		Volumes: []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
	}
}

func TestAPatchIsMergedByName(t *testing.T) {
	for what, c := range map[string]struct {
		patch string
		see   func(corev1.PodSpec) any
		want  any
	}{
		"an image replaces the container's and leaves the rest": {
			`{"containers":[{"name":"agent","image":"mine:2"}]}`,
			func(spec corev1.PodSpec) any {
				return []any{spec.Containers[0].Image, spec.Containers[0].Env[0].Value, len(spec.Containers)}
			},
			[]any{"mine:2", "a", 1},
		},
		"another name is another container": {
			`{"containers":[{"name":"sidecar","image":"side:1"}]}`,
			func(spec corev1.PodSpec) any { return len(spec.Containers) }, 2,
		},
		"variables are merged by name too": {
			`{"containers":[{"name":"agent","env":[{"name":"AGENT_NAME","value":"b"},{"name":"MORE","value":"1"}]}]}`,
			func(spec corev1.PodSpec) any { return envOf(spec.Containers[0]) },
			map[string]string{"AGENT_NAME": "b", "MORE": "1"},
		},
		"a patch without containers keeps them": {
			`{"nodeSelector":{"gpu":"yes"}}`,
			func(spec corev1.PodSpec) any { return []any{spec.NodeSelector["gpu"], spec.Containers[0].Image} },
			[]any{"yes", "default:1"},
		},
		"$patch: delete takes one entry away": {
			`{"volumes":[{"name":"tmp","$patch":"delete"}]}`,
			func(spec corev1.PodSpec) any { return len(spec.Volumes) }, 0,
		},
		"no patch changes nothing": {``, func(spec corev1.PodSpec) any { return reflect.DeepEqual(spec, base()) }, true},
		"null changes nothing":     {`null`, func(spec corev1.PodSpec) any { return reflect.DeepEqual(spec, base()) }, true},
	} {
		merged, err := podspec.Merge(base(), []byte(c.patch))
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if got := c.see(merged); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", what, got, c.want)
		}
	}
}

func TestAPatchThatMakesNoSenseIsRefusedWithItsReason(t *testing.T) {
	for patch, want := range map[string]string{
		`{"contaners":[]}`:                                       "contaners",
		`{"containers":[{"image":"x"}]}`:                         "name",
		`{"containers":[{"name":"side"}]}`:                       `container "side" has no image`,
		`{"containers":[{"name":"agent","$patch":"delete"}]}`:    `takes away container "agent"`,
		`{"containers":[{"name":"agent","image":7}]}`:            "image",
		`{"hostNetwork":"yes"}`:                                  "hostNetwork",
		`[]`:                                                     "merged",
		`{"containers":[{"name":"agent","ports":[{"port":1}]}]}`: "port",
	} {
		if _, err := podspec.Merge(base(), []byte(patch)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", patch, err, want)
		}
	}
}

func envOf(container corev1.Container) map[string]string {
	found := map[string]string{}
	for _, variable := range container.Env {
		found[variable.Name] = variable.Value
	}
	return found
}
