package iam

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

func TestCacheHoldsTheTruthAfterConcurrentWritesAndReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	name := func(i int) string { return fmt.Sprintf("ssma-%s-u-%d-1", testOwner, i) }
	var group sync.WaitGroup
	failures := make(chan error, 100)
	for i := range 12 {
		group.Go(func() {
			failures <- errors.Join(
				w.account.CreatePolicy(ctx, NewPolicy{Name: name(i % 6), Document: grantA}),
				w.account.Attach(ctx, name(i%6), alice),
				w.account.PutDocument(ctx, name(i%6), grantB),
				w.account.Detach(ctx, name(i%6), bob),
			)
		})
		group.Go(func() {
			_, err := w.cache.Refresh(ctx)
			w.cache.PoliciesWithPrefix("ssma-")
			w.cache.Principal(alice)
			w.cache.OwnedPolicies()
			w.cache.PolicyCount()
			_, lookErr := w.account.LookUpPolicy(ctx, name(i%6))
			failures <- errors.Join(err, lookErr)
		})
	}
	group.Wait()
	close(failures)
	for err := range failures {
		w.must(err)
	}
	for i := range 6 {
		view := w.cache.Policy(name(i))
		document, attached, _ := w.truth(name(i))
		if presence, _ := view.Attachment(alice); view.Document != document || presence != Present || len(attached) != 1 {
			t.Errorf("view %+v, IAM holds %s attached to %v", view, document, attached)
		}
	}
	if got := w.aws.Calls().ByAction["sts:GetCallerIdentity"]; got != 1 {
		t.Errorf("asked %d times for the identity", got)
	}
}

func TestWaitingForTheLimiterIsNoTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *awsclient.Options) { o.Rate, o.Burst, o.AttemptTimeout = 2, 1, 400*time.Millisecond })
	began := time.Now()
	for range 2 {
		if _, err := w.account.LookUpPrincipal(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
	}
	if waited := time.Since(began); waited < 450*time.Millisecond {
		t.Errorf("two calls took %v at two a second", waited)
	}
}

func TestCallerWhoGivesUpInTheQueueSendsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *awsclient.Options) { o.Rate, o.Burst = 0.001, 1 })
	w.create(testPolicy, grantA) // That uses up the burst.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.account.Attach(ctx, testPolicy, alice); awserr.Classify(err) != awserr.Canceled {
		t.Fatalf("got %v", err)
	}
	if presence, proven := w.cache.Policy(testPolicy).Attachment(alice); presence != Absent || !proven {
		t.Errorf("a write that was never sent left %v, proven %v", presence, proven)
	}
}
