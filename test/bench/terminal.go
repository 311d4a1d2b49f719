package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/sessionclient"
)

// closing deletes a grant under which a user works in a terminal, while there is nothing
// else to do.
func closing() row {
	return row{
		name: "close a terminal, idle",
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			user := w.users[2]
			return w.closeTerminal(ctx, user, grantName(user, 0))
		},
		until: untilClosed,
		most:  free,
	}
}

// closingBehind does the same while new grants wait.
func closingBehind(grants int) row {
	return row{
		name: fmt.Sprintf("close a terminal, of %d grants", grants),
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			return w.closeTerminal(ctx, w.users[2], w.users[2])
		},
		until: untilClosed,
		most:  free,
	}
}

const untilClosed = "until the terminal is closed"

// closeTerminal opens a terminal under a user's grant, deletes the grant and waits until the
// terminal is closed.
func (w *world) closeTerminal(ctx context.Context, user, grant string) (used, []figure, error) {
	object := access(grant, user, nil)
	if err := w.env.Client.Get(ctx, keyOf(object), object); err != nil {
		return used{}, nil, fmt.Errorf("read the grant of the terminal: %w", err)
	}
	terminal, err := w.openTerminal(ctx, user, object.Spec.Targets[0].InstanceIDs[0])
	if err != nil {
		return used{}, nil, err
	}
	defer func() { _ = terminal.Close() }() // It has ended, or is abandoned.
	waiting, err := w.unready(ctx)
	if err != nil {
		return used{}, nil, err
	}
	from, err := w.read(ctx)
	if err != nil {
		return used{}, nil, err
	}
	began := time.Now()
	if err := w.delete(ctx, object); err != nil {
		return used{}, nil, err
	}
	select {
	case <-terminal.Done():
	case <-ctx.Done():
		return used{}, nil, ctx.Err()
	}
	took := time.Since(began)
	if _, closed := terminal.Closed(); !closed {
		return used{}, nil, errors.New("the terminal was lost, not closed")
	}
	u, err := w.since(ctx, from)
	u.took = took
	return u, []figure{count("grants that wait", waiting), millis("from the deletion to the closed terminal", took)}, err
}

// openTerminal opens a session as a user and waits for the prompt.
func (w *world) openTerminal(ctx context.Context, user string, node v1alpha1.InstanceID) (*sessionclient.Session, error) {
	keys := aws.Credentials{AccessKeyID: "AKIA" + strings.ToUpper(strings.ReplaceAll(user, "-", "")), SecretAccessKey: "secret of " + user}
	w.env.Emulator.Account(w.env.Account.ID).IAM.AddKey(iam.AccessKey{ID: keys.AccessKeyID, Secret: keys.SecretAccessKey, OwnerKind: iam.User, Owner: user})
	o, err := sessionclient.Start(ctx, w.env.AWSConfig(keys), &ssm.StartSessionInput{Target: aws.String(string(node))})
	if err != nil {
		return nil, fmt.Errorf("open the terminal of %s: %w", user, err)
	}
	terminal, err := sessionclient.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("connect the terminal of %s: %w", user, err)
	}
	if _, err := terminal.Read(make([]byte, 1)); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for the prompt of %s: %w", user, err), terminal.Close())
	}
	return terminal, nil
}
