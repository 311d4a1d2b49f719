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
	for i, d := range drifts {
		message := describeDrift(d)
		if i == maxDriftEvents {
			message = fmt.Sprintf("%d more policies were changed outside of the operator; they are put back.", len(drifts)-i)
		}
		lifecycle.Announce(r.Recorder, account, lifecycle.Verdict{Progress: lifecycle.Stuck, Reason: v1alpha1.ReasonDriftFound, Message: message})
		if i == maxDriftEvents {
			return
		}
	}
}

func describeDrift(d cloud.Drift) string {
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
		return fmt.Sprintf("Policy %s appeared under this operator's path; it is removed unless a SessionAccess declares it.", d.Policy)
	}
	return fmt.Sprintf("Policy %s %s outside of the operator; it is put back.", d.Policy, found)
}
