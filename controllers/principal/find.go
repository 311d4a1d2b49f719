package principal

import (
	"context"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// turn is what a principal is worked on for.
type turn int

const (
	// grantTurn gives access, or compares what IAM holds at a resync.
	grantTurn turn = iota
	// lookupTurn is a grantTurn that may ask AWS for the principal alone.
	lookupTurn
	// revocationTurn ends access.
	revocationTurn
)

// find looks the principal up in the mirror. Where the mirror does not show it, and was
// read before the last declaration, the principal may have been created since. The
// operator then reads it from IAM, in a turn behind the resyncs; w.lookUp requests such a
// turn.
func (w *work) find(ctx context.Context) error {
	p := principalOf(w.key, w.claims.name)
	if p == nil {
		w.view = cloud.PrincipalView{Presence: cloud.Present}
		return nil
	}
	w.view = w.account.Cloud.Mirror().Principal(*p)
	if w.view.Presence == cloud.Present || len(w.claims.grants) == 0 || w.absent(*p) {
		return nil
	}
	switch {
	case w.turn == lookupTurn:
		ctx = cloud.WithPriority(ctx, cloud.Lookup)
	case w.turn == grantTurn, len(w.views()) == 0:
		// A revocation does not wait for a lookup that can save nothing.
		w.lookUp = true
		return nil
	}
	view, err := w.account.Cloud.LookUpPrincipal(ctx, *p)
	w.view = view
	return err
}

// absent reports whether the principal is known not to exist: a read shows that which
// began after all its grants were declared. So names of principals that do not exist cost
// no call at a resync. Where IAM holds a policy, the principal had access, and the operator
// reads IAM once more before that ends.
func (w *work) absent(p cloud.Principal) bool {
	since, known := w.account.Cloud.Mirror().AbsentAsOf(p)
	if !known || len(w.views()) > 0 {
		return false
	}
	for uid, saw := range w.claims.saw {
		if saw.Included && !w.declared.before(uid, saw.Serial, since) {
			return false
		}
	}
	return true
}
