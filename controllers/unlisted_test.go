package controllers_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// unlistable is a world where the operator lacks ssm:DescribeSessions. termination decides
// whether revocations in its account complete without.
func unlistable(t *testing.T, termination v1alpha1.SessionTermination) (w world, fault string) {
	t.Helper()
	w = newWorld(t, testenv.ManagerOptions{})
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeSessions"})
	w.must(err)
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.SessionTermination = termination })
	w.create(main)
	got := w.accountIs(main, v1alpha1.ReasonVerified)
	listing := condition(got.Status.Conditions, v1alpha1.ConditionSessionListing)
	if listing.Reason != v1alpha1.ReasonNeverListed {
		t.Errorf("SessionListing is %+v", listing)
	}
	w.sentence(listing.Message, "ssm:DescribeSessions")
	return w, fault
}

func TestWhereSessionsWereNeverListedBestEffortLetsARevocationComplete(t *testing.T) {
	w, _ := unlistable(t, v1alpha1.TerminationBestEffort)
	grant := access("two", "user01", pc01, pc02)
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc02)
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01} })
	got := w.accessIs(grant, v1alpha1.ReasonGranted)
	if r := got.Status.Revocation; r == nil || r.Sessions != v1alpha1.SessionsNotChecked || r.CompletedAt == nil {
		t.Errorf("the record of the revocation is %+v", r)
	}
	w.grid(true, false, false, false)
	w.openStill(session)
	other := access("other", "user02", pc01)
	w.create(other)
	w.accessIs(other, v1alpha1.ReasonGranted)
	w.must(w.Client.Delete(t.Context(), other))
	w.must(testenv.WaitGone(t.Context(), w.Client, other))
	w.announced(other, v1alpha1.ReasonSessionsNotChecked)
}

func TestWhereSessionsWereNeverListedARevocationWaitsByDefault(t *testing.T) {
	w, fault := unlistable(t, "")
	grant := access("one", "user01", pc01)
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	w.must(w.Client.Delete(t.Context(), grant))
	got := w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "BestEffort", "ssm:DescribeSessions")
	w.grid(false, false, false, false)
	w.Emulator.RemoveFault(fault)
	w.touch(grant)
	w.untilEnded(session)
}

func TestBestEffortDoesNotHelpWhereSessionsCouldBeListedBefore(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.SessionTermination = v1alpha1.TerminationBestEffort })
	grant := access("one", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeSessions"})
	w.must(err)
	w.advance(2*testResync, main)
	lost, err := testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionSessionListing).Reason == v1alpha1.ReasonListingLost
	})
	w.must(err)
	w.sentence(condition(lost.Status.Conditions, v1alpha1.ConditionSessionListing).Message, "ssm:DescribeSessions")
	w.must(w.Client.Delete(t.Context(), grant))
	got := w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "ssm:DescribeSessions")
	w.Emulator.RemoveFault(fault)
	w.touch(grant)
	w.untilEnded(session)
}
