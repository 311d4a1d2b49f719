package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// tryAll opens a session as each user on each node, by the node's id, and ends
// those that open.
func tryAll(ctx context.Context, env *testenv.Env, users, nodes []string, ids map[string]string) (grid, error) {
	g := newGrid(users, nodes)
	for _, user := range users {
		client := ssm.NewFromConfig(env.AWSConfig(env.Credentials(user)))
		for _, node := range nodes {
			got, err := try(ctx, client, ids[node], "")
			if err != nil {
				return g, fmt.Errorf("open a session as %s on %s: %w", user, node, err)
			}
			g.cells[user][node] = got
		}
	}
	return g, nil
}

// try opens a session on a node, with the default document where none is named,
// and ends it again.
func try(ctx context.Context, client *ssm.Client, id, document string) (answer, error) {
	input := &ssm.StartSessionInput{Target: &id}
	if document != "" {
		input.DocumentName = &document
	}
	session, err := client.StartSession(ctx, input)
	var refusal smithy.APIError
	switch {
	case errors.As(err, &refusal) && refusal.ErrorCode() == "AccessDeniedException":
		return denied, nil
	// AWS gives no code of its own for it; users report this message.
	case errors.As(err, &refusal) && strings.Contains(refusal.ErrorMessage(), "advanced-instances tier"):
		return tierMissing, nil
	case err != nil:
		return "", err
	}
	_, err = client.TerminateSession(ctx, &ssm.TerminateSessionInput{SessionId: session.SessionId})
	if err != nil {
		return "", fmt.Errorf("end it again, which its owner may do: %w", err)
	}
	return opens, nil
}

// session is an open session of a user on a node.
type session struct{ user, node string }

// open opens a session and leaves it open.
func open(ctx context.Context, env *testenv.Env, s session, ids map[string]string) error {
	id := ids[s.node]
	_, err := ssm.NewFromConfig(env.AWSConfig(env.Credentials(s.user))).StartSession(ctx, &ssm.StartSessionInput{Target: &id})
	if err != nil {
		return fmt.Errorf("open a session as %s on %s: %w", s.user, s.node, err)
	}
	return nil
}

// listOpen lists the open sessions of all users.
func listOpen(ctx context.Context, env *testenv.Env, ids map[string]string) ([]session, error) {
	answer, err := ssm.NewFromConfig(env.AWSConfig(env.Credentials("admin"))).
		DescribeSessions(ctx, &ssm.DescribeSessionsInput{State: types.SessionStateActive})
	if err != nil {
		return nil, fmt.Errorf("list the open sessions: %w", err)
	}
	var list []session
	for _, s := range answer.Sessions {
		for node, id := range ids {
			if id == *s.Target {
				list = append(list, session{user: (*s.Owner)[strings.LastIndex(*s.Owner, "/")+1:], node: node})
			}
		}
	}
	slices.SortFunc(list, func(a, b session) int { return strings.Compare(a.user+a.node, b.user+b.node) })
	return list, nil
}

// printSessions writes a line for each session.
func printSessions(out io.Writer, list []session) {
	for _, s := range list {
		fmt.Fprintf(out, "%s has a session open on %s\n", s.user, s.node)
	}
	fmt.Fprintln(out)
}
