package iam

import (
	"errors"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

func TestGuardedAccountIsReadAndNotWrittenTo(t *testing.T) {
	t.Parallel()
	var closed error
	var asked []string
	w := newWorld(t)
	w.renew(func(p *Pool) {
		p.Guard(func(accountID string) error {
			asked = append(asked, accountID)
			return closed
		})
	})
	w.refresh()
	if len(asked) != 0 {
		t.Errorf("the guard was asked %d times about reads", len(asked))
	}
	w.create(testPolicy, grantA)
	written := w.writesSeen()

	closed = errors.New("the lease is lost")
	ctx := t.Context()
	for what, err := range map[string]error{
		"create":    w.account.CreatePolicy(ctx, NewPolicy{Name: "ssma-0a1b2c3d-u-bob-000000000000-1", Document: grantA}),
		"put":       w.account.PutDocument(ctx, testPolicy, grantB),
		"attach":    w.account.Attach(ctx, testPolicy, alice),
		"detach":    w.account.Detach(ctx, testPolicy, alice),
		"delete":    w.account.DeletePolicy(ctx, testPolicy),
		"terminate": ssm.In(w.account.Account, testRegion).TerminateSession(ctx, "alice-0123456789abcdef0"),
	} {
		if _, ok := errors.AsType[*awsclient.WriteRefusedError](err); !ok || !errors.Is(err, closed) || awserr.Classify(err) != awserr.Waiting {
			t.Errorf("%s: %v of class %q", what, err, awserr.Classify(err))
		}
	}
	if got := w.writesSeen(); got != written {
		t.Errorf("AWS got %d writes past the guard", got-written)
	}
	w.refresh()

	closed = nil
	w.must(w.account.PutDocument(ctx, testPolicy, grantB))
	if got := w.writesSeen(); got != written+1 {
		t.Errorf("AWS got %d writes, want 1", got-written)
	}
	for _, id := range asked {
		if id != testAccount {
			t.Errorf("the guard was asked about account %q", id)
		}
	}
}

// writesSeen counts the writes that reached AWS.
func (w *world) writesSeen() int {
	n := 0
	for _, call := range w.aws.CallLog(0) {
		if call.Write {
			n++
		}
	}
	return n
}
