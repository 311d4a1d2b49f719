package sessionaccess_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// unlistable is a world where the operator lacks ssm:DescribeSessions. termination decides
// whether revocations in its account complete without.
func unlistable(t *testing.T, termination v1alpha1.SessionTermination) (w world, fault string) {
	t.Helper()
	w = newWorld(t, testenv.ManagerOptions{})
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeSessions"})
	w.Must(err)
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.SessionTermination = termination })
	w.Create(main)
	got := w.AwaitAccount(main, v1alpha1.ReasonVerified)
	listing := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionSessionsListable)
	if listing.Reason != v1alpha1.ReasonNeverListed {
		t.Errorf("SessionsListable is %+v", listing)
	}
	w.ExpectSentence(listing.Message, "ssm:DescribeSessions")
	return w, fault
}

func TestWhereSessionsWereNeverListedBestEffortLetsARevocationComplete(t *testing.T) {
	w, _ := unlistable(t, v1alpha1.TerminationBestEffort)
	grant := scenario.Access("two", "user01", scenario.PC01, scenario.PC02)
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC02)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01} })
	got := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if r := got.Status.Revocation; r == nil || r.Sessions != v1alpha1.SessionsNotChecked || r.CompletedAt == nil {
		t.Errorf("the record of the revocation is %+v", r)
	}
	w.ExpectAccess(true, false, false, false)
	w.ExpectSessionsOpen(session)
	other := scenario.Access("other", "user02", scenario.PC01)
	w.Create(other)
	w.AwaitAccess(other, v1alpha1.ReasonGranted)
	w.Must(w.Client.Delete(t.Context(), other))
	w.Must(testenv.WaitGone(t.Context(), w.Client, other))
	w.AwaitEvent(other, v1alpha1.ReasonSessionsNotChecked)
}

func TestWhereSessionsWereNeverListedARevocationWaitsByDefault(t *testing.T) {
	w, fault := unlistable(t, "")
	grant := scenario.Access("one", "user01", scenario.PC01)
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Must(w.Client.Delete(t.Context(), grant))
	got := w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "BestEffort", "ssm:DescribeSessions")
	w.ExpectAccess(false, false, false, false)
	w.Emulator.RemoveFault(fault)
	w.Touch(grant)
	w.AwaitSessionEnd(session)
}

func TestBestEffortDoesNotHelpWhereSessionsCouldBeListedBefore(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.SessionTermination = v1alpha1.TerminationBestEffort })
	grant := scenario.Access("one", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeSessions"})
	w.Must(err)
	w.Advance(2*scenario.ResyncInterval, main)
	lost, err := testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionSessionsListable).Reason == v1alpha1.ReasonListingLost
	})
	w.Must(err)
	w.ExpectSentence(scenario.Condition(lost.Status.Conditions, v1alpha1.ConditionSessionsListable).Message, "ssm:DescribeSessions")
	w.Must(w.Client.Delete(t.Context(), grant))
	got := w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "ssm:DescribeSessions")
	w.Emulator.RemoveFault(fault)
	w.Touch(grant)
	w.AwaitSessionEnd(session)
}
