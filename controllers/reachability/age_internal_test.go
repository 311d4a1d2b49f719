package reachability

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

func TestALookAtANewAccessDoesNotKeepAnOldReport(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	r := &Reconciler{Clock: clock, Reports: grants.NewReachabilityStore(func(...types.NamespacedName) {}), ResyncInterval: time.Minute}
	access := func(uid types.UID) *v1alpha1.SessionAccess {
		a := &v1alpha1.SessionAccess{ObjectMeta: metav1.ObjectMeta{UID: uid}}
		a.Status.Applied = &v1alpha1.AppliedAccess{}
		return a
	}
	before, after := access("before"), access("after")
	r.fresh(before.UID)
	clock.SetTime(clock.Now().Add(2 * time.Minute))
	r.fresh(after.UID)
	if holds := r.age([]*v1alpha1.SessionAccess{before, after}); holds != time.Minute {
		t.Errorf("what was found holds for another %s", holds)
	}
	clock.SetTime(clock.Now().Add(time.Minute))
	if holds := r.age([]*v1alpha1.SessionAccess{before, after}); holds != 2*time.Minute {
		t.Errorf("the newer report holds for another %s", holds)
	}
	if report, ok := r.Reports.Get(before.UID); !ok || report.Reason != v1alpha1.ReasonNotLookedAt {
		t.Errorf("of the older access is reported %+v", report)
	}
	if report, ok := r.Reports.Get(after.UID); ok {
		t.Errorf("of the newer access is reported %+v", report)
	}
	r.forget(before.UID)
	if holds := r.age([]*v1alpha1.SessionAccess{before}); holds != 3*time.Minute {
		t.Errorf("of an access that was forgotten, what was found holds for another %s", holds)
	}
}
