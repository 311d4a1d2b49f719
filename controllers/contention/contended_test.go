package contention_test

import (
	"testing"

	eventsv1 "k8s.io/api/events/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/contention"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestAContendedPolicyIsNarrowedAndNotWidened(t *testing.T) {
	w := scenario.New(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("g", "user01", scenario.PC01)
	main := scenario.Account()
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	arn := w.OwnedPolicies()[0].ARN
	for range contention.Repairs - 1 {
		w.Advance(scenario.Window)
		w.Must(w.IAM().Detach(emuiam.User, "user01", arn))
		w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC01) })
	}
	w.Advance(scenario.Window)
	w.Must(w.IAM().Detach(emuiam.User, "user01", arn))
	got := w.AwaitAccess(grant, v1alpha1.ReasonContended)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "CloudTrail", "--owner-id")
	contended, err := testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionPoliciesContended).Status == "True"
	})
	w.Must(err)
	w.ExpectSentence(scenario.Condition(contended.Status.Conditions, v1alpha1.ConditionPoliciesContended).Message, "ssma-")
	w.AwaitEvent(main, v1alpha1.ReasonContended)
	w.AwaitBulkReads(2)
	w.ExpectAccess(false, false, false, false)

	// What others attach and write is still removed.
	w.Advance(scenario.Window)
	w.Must(w.IAM().Attach(emuiam.User, "user02", arn))
	w.Must(w.IAM().SetDocument(arn, scenario.AllowAllOfSSM))
	w.Eventually(func() bool { return !w.MayOpen("user02", scenario.PC01) && !w.MayOpen("user02", scenario.PC02) })
	w.AwaitBulkReads(2)
	w.ExpectAccess(false, false, false, false)

	w.Advance(contention.Period)
	w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC01) })
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	_, err = testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionPoliciesContended).Status == ""
	})
	w.Must(err)
}

// A revocation of a group reads all of IAM by itself: what it finds is reported as
// the resync would.
func TestDriftThatARevocationFindsIsReported(t *testing.T) {
	w := scenario.New(t, testenv.ManagerOptions{})
	w.Must(w.IAM().AddGroup(fixtures.Group{Name: "operators"}))
	one, group := scenario.Access("one", "user01", scenario.PC01), scenario.Access("group", "", scenario.PC01)
	group.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
	main := scenario.Account()
	w.Create(main, one, group)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.AwaitAccess(group, v1alpha1.ReasonGranted)
	w.Advance(scenario.Window)
	for _, p := range w.OwnedPolicies() {
		if len(w.IAM().Latest().HoldersOf(p.ARN)) == 1 && w.IAM().Latest().HoldersOf(p.ARN)[0] == scenario.UserARN("user01") {
			w.Must(w.IAM().SetDocument(p.ARN, scenario.AllowAllOfSSM))
		}
	}
	w.Must(w.Client.Delete(t.Context(), group))
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC02) })
	w.Must(testenv.WaitCount(t.Context(), w.Client, &eventsv1.Event{}, 1, func(e *eventsv1.Event) bool {
		return e.Reason == v1alpha1.ReasonDriftFound && e.Regarding.Name == main.Name
	}))
}

func TestAPolicyThatOnlyAnUnresolvedObjectAsksForIsRemovedInTime(t *testing.T) {
	w := scenario.NewWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(m.Stop())
	// An object that goes without its revocation leaves its policy.
	scenario.Change(w, grant, func(a *v1alpha1.SessionAccess) { a.Finalizers = nil })
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	pin := scenario.Access("pin", "user01", scenario.PC02)
	pin.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "never"}}}
	w.Create(pin)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.AwaitAccess(pin, v1alpha1.ReasonReferenceNotResolved)
	w.AwaitBulkReads(2)
	if !w.MayOpen("user01", scenario.PC01) {
		t.Error("the policy is gone at once, and the object may resolve yet")
	}
	for range 6 {
		w.Advance(scenario.Window)
	}
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) && len(w.OwnedPolicies()) == 0 })
}
