package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

var oldestRevocation = prometheus.NewDesc(namespace+"_oldest_revocation_seconds",
	"Age of the oldest revocation that is not complete, stalled ones included; 0 where there is none.", []string{"account"}, nil)

// ages are those of the oldest revocations that are not complete, by account id.
type ages map[string]time.Duration

// add takes a revocation into account, which may be the oldest. One that begins
// later than now, by another machine's clock, has no age.
func (a ages) add(account string, age time.Duration) { a[account] = max(a[account], age, 0) }

func (a ages) collect(samples chan<- prometheus.Metric) {
	for account, age := range a {
		samples <- prometheus.MustNewConstMetric(oldestRevocation, prometheus.GaugeValue, age.Seconds(), account)
	}
}

// openSince returns when the revocation of an access began, while it is not proven that
// nothing of the access is left. seen is when this process saw it begin, and is zero
// where it did not.
func openSince(access *v1alpha1.SessionAccess, seen time.Time) (since time.Time, open bool) {
	record, deleted := access.Status.Applied, access.DeletionTimestamp
	switch {
	case record == nil:
		return time.Time{}, false // The operator never sent it to AWS.
	case deleted.IsZero():
		return narrowedSince(access, seen), len(record.Revoking) > 0
	case !controllerutil.ContainsFinalizer(access, v1alpha1.Finalizer):
		return time.Time{}, false // Another controller's finalizer keeps the object.
	}
	since = deleted.Time
	if len(record.Revoking) > 0 && !seen.IsZero() && seen.Before(since) {
		since = seen // It was being narrowed when it was deleted.
	}
	return since, len(record.Revoking) > 0 || record.Granted != nil
}

// narrowedSince returns when an access began to be narrowed. No status records that.
// Where this process did not see it, the transition of Ready to not True approximates it.
func narrowedSince(access *v1alpha1.SessionAccess, seen time.Time) time.Time {
	ready := meta.FindStatusCondition(access.Status.Conditions, v1alpha1.ConditionReady)
	if !seen.IsZero() || ready == nil || ready.Status == metav1.ConditionTrue {
		return seen
	}
	return ready.LastTransitionTime.Time
}
