package sessionaccess

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"
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
	// to is the record with the current grant.
	to          *grants.Record
	owner, node string
	// since is when the first grant began to cover the two; zero where that is not
	// known.
	since time.Time
}

func passingOf(c candidate, r ruling) []passing {
	var passes []passing
	for _, k := range r.to {
		passes = append(passes, passing{to: k.record, owner: policy.Key(c.owner), node: c.Target, since: r.since})
	}
	return passes
}

// pass adds to the records of current grants the sessions that pass to them. waiting
// reports whether other objects were written: the revocation continues once the cache
// shows them. What passes within the object itself is written with its own status.
func (v revocation) pass(ctx context.Context, passes []passing) (waiting bool, err error) {
	to := map[types.UID]*grants.Record{}
	for _, p := range passes {
		record := to[p.to.UID]
		if record == nil {
			with := *p.to
			record = &with
			to[p.to.UID] = record
		}
		record.Granted = grants.Inherit(record.Granted, p.owner, p.node, p.since)
	}
	for uid, record := range to {
		if uid == v.UID {
			v.Granted = record.Granted
			continue
		}
		access, ok := record.Object.(*v1alpha1.SessionAccess)
		if !ok {
			continue // No session passes to a pending revocation.
		}
		waiting = true
		after := access.DeepCopy()
		after.Status.Applied.Granted = record.Granted
		log.FromContext(ctx).Info("Passing open sessions to a grant that allows them, too", "to", record.Origin.String())
		_, failure := reconcile.WriteStatus(ctx, v.Client, access, after)
		if reconcile.Rejected(failure) { // A full object holds up no revocation of others.
			after = access.DeepCopy()
			after.Status.Applied.Granted = grants.InheritAll(record.Granted)
			_, failure = reconcile.WriteStatus(ctx, v.Client, access, after)
		}
		err = errors.Join(err, failure)
	}
	return waiting, err
}
