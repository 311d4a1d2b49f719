package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func TestMirrorHoldsTheTruthAfterConcurrentWritesAndReads(t *testing.T) {
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
			_, err := w.mirror.Refresh(ctx)
			w.mirror.PoliciesWithPrefix("ssma-")
			w.mirror.Principal(alice)
			w.mirror.OurNames()
			w.mirror.PolicyCount()
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
		view := w.mirror.Policy(name(i))
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
	w := newWorld(t, func(o *PoolOptions) { o.Rate, o.Burst, o.AttemptTimeout = 2, 1, 400*time.Millisecond })
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
	w := newWorld(t)
	w.create(testPolicy, grantA)
	limiter := newLimiter(0.001, 1)
	limiter.bucket.Allow()
	w.account.limiters[serviceIAM] = limiter
	w.pool.Account(Config{AccountID: testAccount, Region: "eu-central-1"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.account.Attach(ctx, testPolicy, alice); Classify(err) != Canceled {
		t.Fatalf("got %v", err)
	}
	if presence, proven := w.mirror.Policy(testPolicy).Attachment(alice); presence != Absent || !proven {
		t.Errorf("a write that was never sent left %v, proven %v", presence, proven)
	}
}

// failing answers every request of one operation with HTTP 500.
type failing struct {
	aws.HTTPClient
	target string
	count  *atomic.Int32
}

func (f failing) Do(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") != f.target {
		return f.HTTPClient.Do(r)
	}
	f.count.Add(1)
	return &http.Response{
		StatusCode: http.StatusInternalServerError, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(strings.NewReader(`{"__type":"InternalServerError"}`)), Request: r,
	}, nil
}

func TestActivationIsNeverRequestedTwiceInOneCall(t *testing.T) {
	t.Parallel()
	var count atomic.Int32
	w := newWorld(t, func(o *PoolOptions) {
		o.Base.HTTPClient = failing{o.Base.HTTPClient, "AmazonSSM.CreateActivation", &count}
	})
	_, err := w.account.current().ssmIn(testRegion).CreateActivation(t.Context(), &ssm.CreateActivationInput{IamRole: aws.String("node")})
	if Classify(err) != Transport || count.Load() != 1 {
		t.Errorf("%d requests, %v", count.Load(), err)
	}
}
