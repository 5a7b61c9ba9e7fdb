package kube

import (
	"context"

	"waybill/oidc-proxy/internal/identity"
	"waybill/oidc-proxy/internal/impersonation"
)

type accessSpec struct {
	User       string           `json:"user"`
	Groups     []string         `json:"groups,omitempty"`
	Attributes accessAttributes `json:"resourceAttributes"`
}

type accessAttributes struct {
	Verb        string `json:"verb"`
	Group       string `json:"group,omitempty"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Name        string `json:"name,omitempty"`
}

// MayImpersonate asks the API server (SubjectAccessReview) whether user has the permission.
func (c *Cluster) MayImpersonate(ctx context.Context, user identity.User, p impersonation.Permission) (bool, error) {
	spec := accessSpec{User: user.Name, Groups: user.Groups, Attributes: accessAttributes{
		Verb:        "impersonate",
		Group:       p.APIGroup,
		Resource:    p.Resource,
		Subresource: p.Subresource,
		Namespace:   p.Namespace,
		Name:        p.Name,
	}}
	var status struct {
		Allowed bool `json:"allowed"`
		Denied  bool `json:"denied"`
	}
	err := c.review(ctx, "authorization.k8s.io/v1", "subjectaccessreviews", "SubjectAccessReview", spec, &status)
	return err == nil && status.Allowed && !status.Denied, err
}
