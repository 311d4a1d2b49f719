package controllers_test

import (
	"testing"

	eventsv1 "k8s.io/api/events/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/contention"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestAContendedPolicyIsNarrowedAndNotWidened(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("g", "user01", pc01)
	main := account()
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	arn := w.ourPolicies()[0].ARN
	for range contention.Repairs - 1 {
		w.advance(testWindow)
		w.must(w.iam().Detach(emuiam.User, "user01", arn))
		w.until(func() bool { return w.may("user01", pc01) })
	}
	w.advance(testWindow)
	w.must(w.iam().Detach(emuiam.User, "user01", arn))
	got := w.accessIs(grant, v1alpha1.ReasonContended)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "CloudTrail", "--owner-id")
	contended, err := testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionPoliciesContended).Status == "True"
	})
	w.must(err)
	w.sentence(condition(contended.Status.Conditions, v1alpha1.ConditionPoliciesContended).Message, "ssma-")
	w.announced(main, v1alpha1.ReasonContended)
	w.bulkReads(2)
	w.grid(false, false, false, false)

	// What others attach and write is still removed.
	w.advance(testWindow)
	w.must(w.iam().Attach(emuiam.User, "user02", arn))
	w.must(w.iam().SetDocument(arn, everything))
	w.until(func() bool { return !w.may("user02", pc01) && !w.may("user02", pc02) })
	w.bulkReads(2)
	w.grid(false, false, false, false)

	w.advance(contention.Period)
	w.until(func() bool { return w.may("user01", pc01) })
	w.accessIs(grant, v1alpha1.ReasonGranted)
	_, err = testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionPoliciesContended).Status == ""
	})
	w.must(err)
}

// A revocation of a group reads all of IAM by itself: what it finds is reported as
// the resync would.
func TestDriftThatARevocationFindsIsReported(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.must(w.iam().AddGroup(fixtures.Group{Name: "operators"}))
	one, group := access("one", "user01", pc01), access("group", "", pc01)
	group.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
	main := account()
	w.create(main, one, group)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.accessIs(group, v1alpha1.ReasonGranted)
	w.advance(testWindow)
	for _, p := range w.ourPolicies() {
		if len(w.iam().Latest().HoldersOf(p.ARN)) == 1 && w.iam().Latest().HoldersOf(p.ARN)[0] == user("user01") {
			w.must(w.iam().SetDocument(p.ARN, everything))
		}
	}
	w.must(w.Client.Delete(t.Context(), group))
	w.until(func() bool { return !w.may("user01", pc02) })
	w.must(testenv.WaitCount(t.Context(), w.Client, &eventsv1.Event{}, 1, func(e *eventsv1.Event) bool {
		return e.Reason == v1alpha1.ReasonDriftFound && e.Regarding.Name == main.Name
	}))
}

func TestAPolicyThatOnlyAnUnresolvedObjectAsksForIsRemovedInTime(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("g", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(m.Stop())
	// An object that goes without its revocation leaves its policy.
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Finalizers = nil })
	w.must(w.Client.Delete(t.Context(), grant))
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	pin := access("pin", "user01", pc02)
	pin.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "never"}}}
	w.create(pin)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.accessIs(pin, v1alpha1.ReasonReferenceNotResolved)
	w.bulkReads(2)
	if !w.may("user01", pc01) {
		t.Error("the policy is gone at once, and the object may resolve yet")
	}
	for range 6 {
		w.advance(testWindow)
	}
	w.until(func() bool { return !w.may("user01", pc01) && len(w.ourPolicies()) == 0 })
}
