package controllers_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestAnObjectStaysWhileIAMFailsToTakeItsAccessAway(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := access("one", "user01", pc01), access("two", "user01", pc02)
	w.create(account(), one, two)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.accessIs(two, v1alpha1.ReasonGranted)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "iam:CreatePolicyVersion"})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), one))
	// The second try knows less of what IAM holds than the first.
	seen := w.LastCall()
	for range 8 {
		call, err := w.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Operation == "CreatePolicyVersion" })
		w.must(err)
		seen = call.N
	}
	held := w.accessIs(one, v1alpha1.ReasonAWSUnavailable)
	if held.Status.Revocation != nil {
		t.Error("the permission is said to be gone, and IAM holds it")
	}
	w.Emulator.RemoveFault(id)
	w.accessIs(one, v1alpha1.ReasonEndingSessions)
	w.grid(false, true, false, false)
}

func TestAGrantOfManyTagsCanBeTakenAway(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("many-tags", "user01", pc01)
	for i := range 8 {
		tags := map[string]string{}
		for j := range 44 {
			tags[fmt.Sprintf("k%d", j)] = fmt.Sprint(i)
		}
		grant.Spec.Targets = append(grant.Spec.Targets, v1alpha1.Target{Tags: tags})
	}
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(w.Namespace(t.Context(), team, map[string]string{"team": "gone"}))
	w.until(func() bool { return !w.may("user01", pc01) })
}

func TestADeletionAfterANarrowingHasAWindowOfItsOwn(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("one", "user01", pc01, pc02)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = a.Spec.Targets[0].InstanceIDs[:1] })
	first := w.accessIs(grant, v1alpha1.ReasonEndingSessions).Status.Revocation
	w.Emulator.Advance(testWindow / 2)
	w.must(w.Client.Delete(t.Context(), grant))
	_, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Revocation != nil && a.Status.Revocation.PermissionGoneAt.After(first.PermissionGoneAt.Time)
	})
	w.must(err)
}

func TestAPrincipalOfManyPoliciesDoesNotBreakAStatus(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	ids := manyIDs(5400)
	var all []*v1alpha1.SessionAccess
	for i := range 3 {
		grant := access(fmt.Sprint("set-", i), "", pc01)
		grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalPermissionSet, Name: "Large"}}
		grant.Spec.Targets = nil
		for part := range 6 {
			from := (i*6 + part) * 300
			grant.Spec.Targets = append(grant.Spec.Targets, v1alpha1.Target{InstanceIDs: ids[from : from+300]})
		}
		w.create(grant)
		all = append(all, grant)
	}
	for _, grant := range all {
		w.accessIs(grant, v1alpha1.ReasonGranted)
	}
}

func TestAMemberWhoJoinedUnseenLosesTheirSessionToo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(accountID).IAM
	w.must(aws.AddGroup(fixtures.Group{Name: "operators"}))
	grant := access("group", "", pc01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(aws.AddUser(fixtures.User{Name: "newcomer", Groups: []string{"operators"}}))
	session := w.open(user("newcomer"), pc01)
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(session)
}

func TestAPermissionSetKeepsThePolicyThatItReferences(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("set", "", pc01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalPermissionSet, Name: "Ops"}}
	w.create(account(), grant)
	got := w.accessIs(grant, v1alpha1.ReasonGranted)
	arn := got.Status.Principals[0].PolicyARNs[0]
	role := "AWSReservedSSO_Ops_0123456789abcdef"
	w.must(w.Emulator.Account(accountID).IAM.AddRole(fixtures.Role{
		Name: role, Grants: fixtures.Grants{Attached: []string{arn}},
		Trust: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + accountID + `"},"Action":"sts:AssumeRole"}]}`),
	}))
	// A foreign attachment counts once the operator's own write is past the window.
	w.advance(testWindow)
	w.resyncs(2)
	w.must(w.Client.Delete(t.Context(), grant))
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.resyncs(3)
	if left := w.ourPolicies(); len(left) != 1 {
		t.Errorf("%d policies are left, want the one that the permission set references", len(left))
	}
}

func TestObserveEndsNobodysSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	grant := access("user01-pc01", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonObserved)
	session := w.open(user("user01"), pc01)
	w.must(w.Client.Delete(t.Context(), grant))
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.openStill(session)
}

func TestWhatNeverReachedAWSCanBeDeleted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.AccountID = "111111111111" })
	grant := access("user01-pc01", "user01", pc01)
	w.create(main, grant)
	w.accountIs(main, v1alpha1.ReasonWrongAccount)
	w.accessIs(grant, v1alpha1.ReasonAccountNotReady)
	w.must(w.Client.Delete(t.Context(), grant))
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.must(w.Client.Delete(t.Context(), main))
	w.must(testenv.WaitGone(t.Context(), w.Client, main))
}

func TestAnUnresolvedReferenceDoesNotEscapeANewGuardrail(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := account(), access("one", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets = append(a.Spec.Targets, v1alpha1.Target{ActivationRef: &v1alpha1.LocalReference{Name: "later"}})
	})
	w.accessIs(grant, v1alpha1.ReasonReferenceNotResolved)
	w.grid(true, false, false, false)
	change(w, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{{
			Name: "tagged", NamespaceSelector: &metav1.LabelSelector{}, RequiredTags: map[string]string{"Team": "a"},
		}}
	})
	w.until(func() bool { return !w.may("user01", pc01) })
}

// resyncs waits for a number of bulk reads.
func (w world) resyncs(n int) {
	w.t.Helper()
	seen := w.LastCall()
	for range n {
		call, err := w.WaitCall(w.t.Context(), seen, func(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" })
		w.must(err)
		seen = call.N
	}
}
