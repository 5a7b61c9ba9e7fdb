package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	reviewLimit  = 10 * time.Second
	answerBytes  = 1 << 20
	messageBytes = 300
)

// review posts a question of the API server's authentication or authorization API and reads its status.
// The few members used are written out in this package: the generated types would double the program.
func (c *Cluster) review(ctx context.Context, api, resource, kind string, spec, status any) error {
	ctx, cancel := context.WithTimeout(ctx, reviewLimit)
	defer cancel()
	body, err := json.Marshal(map[string]any{"apiVersion": api, "kind": kind, "spec": spec})
	if err != nil {
		return err
	}
	url := c.URL.JoinPath("apis", api, resource).String()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := c.Own.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, answerBytes))
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s: the API server answers %s: %.*q", kind, response.Status, messageBytes, answer)
	}
	if err := json.Unmarshal(answer, &struct{ Status any }{status}); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}
