package controller

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"waybill/kaos/v1alpha1"
	"waybill/operator/internal/desired"
)

// needs are the objects that an Agent names.
type needs struct {
	// api is nil where there is none.
	api *v1alpha1.ModelAPI
	// missing says of each that isn't ready why.
	missing []string
}

func (r *Agents) needs(ctx context.Context, agent *v1alpha1.Agent) (needs, error) {
	found := needs{missing: []string{}}
	api := &v1alpha1.ModelAPI{}
	there, err := r.look(ctx, agent.Namespace, agent.Spec.ModelAPI, api, &found)
	if err != nil {
		return found, err
	}
	if there {
		found.api = api
		found.unless(api.Status.Ready, "ModelAPI", api.Name)
	}
	for _, name := range agent.Spec.MCPServers {
		server := &v1alpha1.MCPServer{}
		there, err := r.look(ctx, agent.Namespace, name, server, &found)
		if err != nil {
			return found, err
		}
		if there {
			found.unless(server.Status.Ready, "MCPServer", name)
		}
	}
	return found, r.peers(ctx, agent, &found)
}

// peers that come to call this agent in turn would wait for it as it for them: of those it is enough that they exist.
func (r *Agents) peers(ctx context.Context, agent *v1alpha1.Agent, found *needs) error {
	for _, name := range desired.Peers(agent) {
		peer := &v1alpha1.Agent{}
		there, err := r.look(ctx, agent.Namespace, name, peer, found)
		if err != nil {
			return err
		}
		if !there {
			continue
		}
		if !desired.Exposed(peer) {
			found.missing = append(found.missing, fmt.Sprintf("Agent %s is not exposed", name))
			continue
		}
		if peer.Status.Ready {
			continue
		}
		back, err := r.reaches(ctx, peer, agent.Name)
		if err != nil {
			return err
		}
		found.unless(back, "Agent", name)
	}
	return nil
}

// reaches tells whether an agent calls another by way of peers and peers of peers.
func (r *Agents) reaches(ctx context.Context, from *v1alpha1.Agent, name string) (bool, error) {
	seen := map[string]bool{from.Name: true}
	for open := desired.Peers(from); len(open) > 0; open = open[1:] {
		if open[0] == name {
			return true, nil
		}
		if seen[open[0]] {
			continue
		}
		seen[open[0]] = true
		next := &v1alpha1.Agent{}
		err := r.client.Get(ctx, client.ObjectKey{Namespace: from.Namespace, Name: open[0]}, next)
		if client.IgnoreNotFound(err) != nil {
			return false, err
		}
		open = append(open, desired.Peers(next)...)
	}
	return false, nil
}

func (r *Agents) look(ctx context.Context, namespace, name string, into client.Object, found *needs) (bool, error) {
	err := r.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into)
	if apierrors.IsNotFound(err) {
		found.missing = append(found.missing, fmt.Sprintf("there is no %s %s", kindOf(into), name))
		return false, nil
	}
	return err == nil, err
}

func (n *needs) unless(ready bool, kind, name string) {
	if !ready {
		n.missing = append(n.missing, fmt.Sprintf("%s %s is not ready", kind, name))
	}
}

func kindOf(object client.Object) string {
	switch object.(type) {
	case *v1alpha1.ModelAPI:
		return "ModelAPI"
	case *v1alpha1.MCPServer:
		return "MCPServer"
	}
	return "Agent"
}
