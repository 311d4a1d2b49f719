package sessionaccess

import (
	"context"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

func TestAnAccessEndsInTimeAlthoughItsStatusCannotBeStored(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ after, end, want time.Duration }{
		"the end comes first": {10 * time.Minute, 2 * time.Minute, 2 * time.Minute},
		"the end comes later": {time.Minute, time.Hour, time.Minute},
		"it has no end":       {time.Minute, 0, time.Minute},
		"only the end":        {0, time.Hour, time.Hour},
	} {
		result := reconcile.Result{RequeueAfter: c.after, Unstored: func(context.Context) time.Duration { return c.after }}
		got := wakeBy(result, c.end)
		if unstored := got.Unstored(t.Context()); got.RequeueAfter != c.want || unstored != c.want {
			t.Errorf("%s: after %s, and %s where the status is rejected, want %s", name, got.RequeueAfter, unstored, c.want)
		}
	}
	if wakeBy(reconcile.Result{}, time.Minute).Unstored != nil {
		t.Error("something is done for a status that can be stored")
	}
}
