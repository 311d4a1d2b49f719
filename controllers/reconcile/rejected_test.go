package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

func invalid(value string) error {
	return apierrors.NewInvalid(schema.GroupKind{Group: "ssm-access.dev", Kind: "SessionAccess"}, "a", field.ErrorList{
		field.TooMany(field.NewPath("status", "applied"), 70, 64), field.Invalid(field.NewPath("spec", "x"), value, "wrong"),
	})
}

func TestOnlyWhatIsRejectedWheneverItIsSentCountsAsRejected(t *testing.T) {
	t.Parallel()
	objects := schema.GroupResource{Group: "ssm-access.dev", Resource: "sessionaccesses"}
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"none":                     {nil, false},
		"against the schema":       {invalid("x"), true},
		"wrapped":                  {fmt.Errorf("write the status: %w", invalid("x")), true},
		"too large a request":      {apierrors.NewRequestEntityTooLargeError("limit is 3145728"), true},
		"too large for etcd":       {apierrors.NewInternalError(errors.New("etcdserver: request is too large")), true},
		"too large for its client": {errors.New("rpc error: code = ResourceExhausted desc = trying to send message larger than max (2200000 vs. 2097152)"), true},
		"a conflict":               {apierrors.NewConflict(objects, "a", errors.New("the object has changed")), false},
		"gone":                     {apierrors.NewNotFound(objects, "a"), false},
		"a timeout of etcd":        {apierrors.NewInternalError(errors.New("etcdserver: request timed out")), false},
		"too many requests":        {apierrors.NewTooManyRequests("wait", 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := reconcile.Rejected(c.err); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestARejectedWriteIsReportedAndNotRetriedWithBackoff(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	recorder := events.NewFakeRecorder(1)
	c := fake.NewClientBuilder().WithScheme(scheme).Build()
	result, err := reconcile.Finish(t.Context(), c, recorder, &v1alpha1.SessionAccess{}, queue.PriorityGrant, time.Hour, invalid(strings.Repeat("secret", 300)))
	if err != nil || result.RequeueAfter != reconcile.RejectedDelay {
		t.Errorf("got %+v and %v, want a requeue after %s", result, err, reconcile.RejectedDelay)
	}
	event := <-recorder.Events
	if !strings.Contains(event, v1alpha1.ReasonWriteRejected) || !strings.Contains(event, "status.applied") || strings.Contains(event, "secret") || len(event) > 1000 {
		t.Errorf("the event is %q", event)
	}
	failure := errors.New("something else")
	if _, err := reconcile.Finish(t.Context(), c, recorder, &v1alpha1.SessionAccess{}, queue.PriorityGrant, 0, failure); !errors.Is(err, failure) {
		t.Errorf("got %v, want the error for the backoff", err)
	}
}
