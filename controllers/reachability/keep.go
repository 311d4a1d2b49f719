package reachability

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// stillHolds is appended to a report that is older than the last check.
const stillHolds = " This is of an earlier look: at the last one AWS gave no answer to some of it."

// kept is what to report after a check. Where AWS only gave no answer, that is the last
// finding on the same record, for some time: a throttled call does not change the result.
func (r *Reconciler) kept(uid types.UID, now grants.Reachability) grants.Reachability {
	now.Found = metav1.NewTime(r.Clock.Now())
	before, had := r.Reports.Get(uid)
	if !had || !onlyUnread(&now) || onlyUnread(&before) || !alike(&before, &now) || now.Found.Sub(before.Found.Time) >= staleAfter*r.ResyncInterval {
		return now
	}
	before.Message = strings.TrimSuffix(before.Message, stillHolds) + stillHolds
	return before
}

// onlyUnread: nothing is known to be wrong, and AWS gave no answer.
func onlyUnread(r *grants.Reachability) bool { return r.Reason == string(check.ReadFailed) }

// alike: both are of the same record, with the same numbers of nodes and of connected
// nodes.
func alike(before, now *grants.Reachability) bool {
	a, b := before.Targets, now.Targets
	return before.Serial == now.Serial && a != nil && b != nil && *a.Total == *b.Total && *a.Connected == *b.Connected
}
