package sessionaccess

import (
	"context"
	"errors"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// passing is a session that a lost grant leaves to another one that allows it, too. Once
// the lost grant is forgotten, only the record of the other grant shows that the session
// was opened through a grant.
type passing struct {
	// to is the object with the current grant.
	to          *v1alpha1.SessionAccess
	owner, node string
	// since is when the first grant began to cover the two; zero where that is not
	// known.
	since time.Time
}

func passingOf(c candidate, r ruling) []passing {
	var passes []passing
	for _, k := range r.to {
		passes = append(passes, passing{to: k.access, owner: policy.Key(c.owner), node: c.Target, since: r.since})
	}
	return passes
}

// pass adds to the records of current grants the sessions that pass to them. waiting
// reports whether other objects were written: the revocation continues once the cache
// shows them. What passes within the object itself is written with its own status.
func (v revocation) pass(ctx context.Context, passes []passing) (waiting bool, err error) {
	to := map[*v1alpha1.SessionAccess]*v1alpha1.ResolvedGrant{}
	for _, p := range passes {
		if to[p.to] == nil {
			to[p.to] = p.to.Status.Applied.Granted
		}
		to[p.to] = grants.Inherit(to[p.to], p.owner, p.node, p.since)
	}
	for access, granted := range to {
		if access == v.access {
			v.access.Status.Applied.Granted = granted
			continue
		}
		waiting = true
		after := access.DeepCopy()
		after.Status.Applied.Granted = granted
		log.FromContext(ctx).Info("Passing open sessions to a grant that allows them, too", "to", access.Namespace+"/"+access.Name)
		_, failure := reconcile.WriteStatus(ctx, v.Client, access, after)
		if reconcile.Rejected(failure) { // A full object holds up no revocation of others.
			after = access.DeepCopy()
			after.Status.Applied.Granted = grants.InheritAll(granted)
			_, failure = reconcile.WriteStatus(ctx, v.Client, access, after)
		}
		err = errors.Join(err, failure)
	}
	return waiting, err
}
