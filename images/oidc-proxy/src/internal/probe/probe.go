// Package probe answers the kubelet's probes, and asks them in the image's HEALTHCHECK.
package probe

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	askLimit    = 2 * time.Second
	headerLimit = 5 * time.Second
)

// NewServer answers /ready with 200 while ready says so and 503 else, and /live with 200 always.
func NewServer(ready func() bool) *http.Server {
	routes := http.NewServeMux()
	routes.HandleFunc("/live", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "live") })
	routes.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	return &http.Server{Handler: routes, ReadHeaderTimeout: headerLimit, ReadTimeout: headerLimit}
}

// Ask gives nil when the program whose probe listens at address and port is ready. An address that stands
// for all of them is asked on loopback.
func Ask(ctx context.Context, address string, port int) error {
	if ip := net.ParseIP(address); ip == nil || ip.IsUnspecified() {
		address = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	url := "http://" + net.JoinHostPort(address, strconv.Itoa(port)) + "/ready"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// A transport of its own: the environment's HTTP proxy has no business here.
	response, err := (&http.Transport{}).RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
