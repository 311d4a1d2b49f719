package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// registration is what an agent sends with RegisterManagedInstance, which is in
// no SDK. It shows the activation instead of signing.
type registration struct {
	ActivationID   string `json:"ActivationId"`
	ActivationCode string `json:"ActivationCode"`
	Fingerprint    string `json:"Fingerprint"`
}

// register registers a machine as its agent does, and returns its id, mi-….
func register(ctx context.Context, endpoint string, r registration) (id string, err error) {
	r.Fingerprint = "demo"
	body, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("write the registration: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("make the registration: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AmazonSSM.RegisterManagedInstance")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("register the machine: %w", err)
	}
	defer answer.Body.Close()
	var node struct {
		InstanceID string `json:"InstanceId"`
		Message    string `json:"message"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&node); err != nil {
		return "", fmt.Errorf("read the answer to the registration: %w", err)
	}
	if answer.StatusCode != http.StatusOK || node.InstanceID == "" {
		return "", fmt.Errorf("register the machine: %w", errors.New(answer.Status+" "+node.Message))
	}
	return node.InstanceID, nil
}
