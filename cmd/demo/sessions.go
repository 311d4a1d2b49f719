package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv"
)

// tryAll opens a session as each user on each node, by the node's id, and ends
// those that open.
func tryAll(ctx context.Context, env *testenv.Env, users, nodes []string, ids map[string]string) (grid, error) {
	g := newGrid(users, nodes)
	for _, user := range users {
		client := ssm.NewFromConfig(env.AWSConfig(env.Credentials(user)))
		for _, node := range nodes {
			got, err := try(ctx, client, ids[node])
			if err != nil {
				return g, fmt.Errorf("open a session as %s on %s: %w", user, node, err)
			}
			g.cells[user][node] = got
		}
	}
	return g, nil
}

// try opens a session on a node and ends it again.
func try(ctx context.Context, client *ssm.Client, id string) (answer, error) {
	session, err := client.StartSession(ctx, &ssm.StartSessionInput{Target: &id})
	var refusal smithy.APIError
	switch {
	case errors.As(err, &refusal) && refusal.ErrorCode() == "AccessDeniedException":
		return denied, nil
	case err != nil:
		return "", err
	}
	_, err = client.TerminateSession(ctx, &ssm.TerminateSessionInput{SessionId: session.SessionId})
	if err != nil {
		return "", fmt.Errorf("end it again, which its owner may do: %w", err)
	}
	return opens, nil
}
