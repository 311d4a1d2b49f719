package account

import (
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// maxDriftEvents bounds the events of one resync; the last one counts the rest.
const maxDriftEvents = 10

// announceDrift tells what somebody else changed in our policies. The
// principals put it back: to them it is one more difference.
func (r *Reconciler) announceDrift(account *v1alpha1.AWSAccount, drifts []cloud.Drift) {
	for _, d := range drifts {
		r.DriftFound(account.Spec.AccountID, d.Kind)
	}
	for i, d := range drifts {
		message := describeDrift(d, account.Spec.Mode)
		if i == maxDriftEvents {
			message = fmt.Sprintf("%d more policies were changed outside of the operator.", len(drifts)-i)
		}
		lifecycle.Announce(r.Recorder, account, lifecycle.Verdict{Progress: lifecycle.Stuck, Reason: v1alpha1.ReasonDriftFound, Message: message})
		if i == maxDriftEvents {
			return
		}
	}
}

func describeDrift(d cloud.Drift, mode v1alpha1.AccountMode) string {
	remedy := "it is put back"
	if mode == v1alpha1.ModeObserve {
		remedy = "in mode Observe it is left so"
	}
	var found string
	switch d.Kind {
	case cloud.Edited:
		found = "was edited"
	case cloud.DefaultMoved:
		found = "got another default version"
	case cloud.Detached:
		found = fmt.Sprintf("was detached from %s", d.Principal)
	case cloud.AttachedElsewhere:
		found = fmt.Sprintf("was attached to %s", d.Principal)
	case cloud.Deleted:
		found = "was deleted"
	case cloud.Appeared:
		found, remedy = "appeared under this operator's path", "it is removed unless a SessionAccess declares it"
	}
	return fmt.Sprintf("Policy %s %s outside of the operator; %s.", d.Policy, found, remedy)
}
