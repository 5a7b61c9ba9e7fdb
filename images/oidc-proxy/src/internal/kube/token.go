package kube

import (
	"context"
	"slices"
)

type tokenSpec struct {
	Token     string   `json:"token"`
	Audiences []string `json:"audiences,omitempty"`
}

// KnowsToken asks the API server (TokenReview) whether a token is good, for one of the audiences where any
// are given. name is whom it names.
func (c *Cluster) KnowsToken(ctx context.Context, token string, audiences []string) (name string, good bool, err error) {
	var status struct {
		Authenticated bool     `json:"authenticated"`
		Audiences     []string `json:"audiences"`
		User          struct {
			Username string `json:"username"`
		} `json:"user"`
	}
	spec := tokenSpec{Token: token, Audiences: audiences}
	if err := c.review(ctx, "authentication.k8s.io/v1", "tokenreviews", "TokenReview", spec, &status); err != nil {
		return "", false, err
	}
	// An authenticator that knows no audiences gives none back, and has not checked them.
	meant := len(audiences) == 0 || slices.ContainsFunc(status.Audiences, func(audience string) bool {
		return slices.Contains(audiences, audience)
	})
	return status.User.Username, status.Authenticated && meant, nil
}
