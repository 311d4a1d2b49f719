package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/shell"
	"github.com/ssm-access-operator/ssm-access-operator/test/nodeagent"
)

// The machine that is no EC2 instance, and the version of its agent.
const (
	machineName  = "site-pc"
	agentVersion = "3.3.1142.0"
)

// registerMachine registers a machine with what the Secret holds, starts its agent and
// returns the node's id, mi-….
func (s *stage) registerMachine(ctx context.Context) (string, error) {
	secret := &corev1.Secret{}
	if err := s.env.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: secretName}, secret); err != nil {
		return "", fmt.Errorf("read the Secret of the activation: %w", err)
	}
	o := nodeagent.Options{
		Endpoint: s.env.URL, Region: s.env.Region, Version: agentVersion, Host: machineName,
		Run: func(command string) nodeagent.Program {
			return shell.New(shell.Options{User: "ssm-user", Host: machineName, Command: command})
		},
	}
	id, err := nodeagent.Register(ctx, o, string(secret.Data[v1alpha1.SecretKeyID]), string(secret.Data[v1alpha1.SecretKeyCode]))
	if err != nil {
		return "", fmt.Errorf("register the machine: %w", err)
	}
	if s.agent, err = nodeagent.Start(ctx, o, id); err != nil {
		return "", fmt.Errorf("start the agent of %s: %w", id.Node, err)
	}
	return id.Node, nil
}
