// Package kube is the way to the API server: with the proxy's own credentials, or with none.
package kube

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Cluster is an API server and two ways to it.
type Cluster struct {
	// URL is where the API starts; it may have a path.
	URL *url.URL
	// Own shows the proxy's credentials. It leaves an Authorization header alone that is there already:
	// strip the client's first.
	Own http.RoundTripper
	// Bare shows none, for requests that carry the client's.
	Bare http.RoundTripper
}

// Open reads a kubeconfig file, or, where none is named, takes what Kubernetes gives a pod.
func Open(kubeconfig string) (*Cluster, error) {
	config, err := load(kubeconfig)
	if err != nil {
		return nil, err
	}
	if config.Impersonate.UserName != "" {
		return nil, errors.New("--kubeconfig: its user impersonates another, which is what this proxy does itself: take \"as\" out")
	}
	// As kubectl sent it and as the API server answered: compression is between those two.
	config.DisableCompression = true
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	own, err := transport(config)
	if err != nil {
		return nil, err
	}
	bare, err := transport(rest.AnonymousClientConfig(config))
	if err != nil {
		return nil, err
	}
	return &Cluster{URL: base, Own: own, Bare: bare}, nil
}

func load(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if errors.Is(err, rest.ErrNotInCluster) {
			return nil, errors.New("not in a cluster: name a file with --kubeconfig")
		}
		return config, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig: %w", err)
	}
	return config, nil
}

// byProtocol keeps upgrades on HTTP/1.1, since HTTP/2 has none, and leaves all else to share connections.
type byProtocol struct{ http1, any http.RoundTripper }

func (b byProtocol) RoundTrip(request *http.Request) (*http.Response, error) {
	if IsUpgrade(request.Header) {
		return b.http1.RoundTrip(request)
	}
	return b.any.RoundTrip(request)
}

// IsUpgrade tells exec, attach and port-forward from other requests.
func IsUpgrade(headers http.Header) bool {
	for _, value := range headers.Values("Connection") {
		for token := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
				return true
			}
		}
	}
	return false
}

func transport(config *rest.Config) (http.RoundTripper, error) {
	any, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.NextProtos = []string{"http/1.1"}
	http1, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	return byProtocol{http1: http1, any: any}, nil
}
