package cli

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"waybill/kaos/v1alpha1"
)

// knowsKinds is ready once the API server has answered and has our CRDs, whether this operator leads or stands by.
func knowsKinds(manager ctrl.Manager) healthz.Checker {
	var known atomic.Bool
	return func(*http.Request) error {
		if known.Load() {
			return nil
		}
		for _, kind := range []string{"Agent", "MCPServer", "ModelAPI"} {
			if _, err := manager.GetRESTMapper().RESTMapping(v1alpha1.GroupVersion.WithKind(kind).GroupKind(), v1alpha1.GroupVersion.Version); err != nil {
				return err
			}
		}
		known.Store(true)
		return nil
	}
}

// firstProcess is the container's: its flags say where its probes are.
const firstProcess = "/proc/1/cmdline"

// healthcheck asks the manager in the same container whether it lives.
func (p program) healthcheck(args []string) int {
	var s settings
	flags := managerFlags(&s)
	if code, ok := p.parse(flags, args); !ok {
		return code
	}
	if len(args) == 0 {
		s.probes = probesOf(firstProcess, s.probes)
	}
	_, port, err := net.SplitHostPort(s.probes)
	if err != nil {
		return p.fail(err, exitUsage)
	}
	client := http.Client{Timeout: 3 * time.Second}
	answer, err := client.Get("http://" + net.JoinHostPort("127.0.0.1", port) + "/healthz")
	if err != nil {
		return p.fail(err, exitFailed)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return p.fail(fmt.Errorf("%s answers %s", answer.Request.URL, answer.Status), exitFailed)
	}
	return 0
}

// probesOf reads the flag of a running manager, else gives the default.
func probesOf(cmdline, otherwise string) string {
	text, err := os.ReadFile(cmdline)
	if err != nil {
		return otherwise
	}
	var s settings
	flags := managerFlags(&s)
	flags.SetOutput(io.Discard)
	args := strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")[1:]
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		args = args[1:]
	}
	if flags.Parse(args) != nil {
		return otherwise
	}
	return s.probes
}
