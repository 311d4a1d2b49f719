package principal

import (
	"context"
	"fmt"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// A revocation that AWS acknowledged is proven, with one exception: when the answer to an
// earlier write was lost, that write may still take effect. Then only a read after the
// consistency window proves anything.

// prove reads the policies whose state only a read can prove, once it can.
func (w *work) prove(ctx context.Context) error {
	if !w.claims.revoking {
		return nil
	}
	for _, view := range w.views() {
		if view.SettlesAt.IsZero() || w.Clock.Now().Before(view.SettlesAt) || w.gone(view) {
			continue
		}
		if _, err := w.account.Cloud.LookUpPolicy(ctx, view.Name); err != nil {
			return fmt.Errorf("read policy %s to prove a revocation: %w", view.Name, err)
		}
	}
	return nil
}

// proven reports whether what is not declared is proven gone from every policy of
// the principal.
func (w *work) proven(plan policy.Plan) bool {
	w.unproven = nil
	for _, view := range w.views() {
		parsed, ok := policy.ParseName(view.Name)
		wanted := ok && parsed.Shard <= len(plan.Documents) && plan.Documents[parsed.Shard-1] != ""
		if w.gone(view) || (wanted && view.DocumentProven) {
			continue
		}
		w.unproven = append(w.unproven, view)
	}
	return len(w.unproven) == 0
}

// gone reports whether a policy cannot grant anything any more.
func (w *work) gone(view cloud.PolicyView) bool {
	return view.Gone() || (view.Document == policy.Nothing && view.DocumentProven)
}

func (w *work) views() []cloud.PolicyView {
	views, _ := w.account.Cloud.Mirror().PoliciesWithPrefix(policy.Prefix(w.OwnerID, w.compiled()))
	return views
}

// settlesIn is how long until a read can prove what is not proven; zero when
// nothing waits for it.
func (w *work) settlesIn() time.Duration {
	var soonest time.Duration
	for _, view := range w.unproven {
		if view.SettlesAt.IsZero() {
			continue
		}
		// At least a moment, so that a proof that does not come is no busy loop.
		if in := max(view.SettlesAt.Sub(w.Clock.Now()), time.Second); soonest == 0 || in < soonest {
			soonest = in
		}
	}
	return soonest
}
