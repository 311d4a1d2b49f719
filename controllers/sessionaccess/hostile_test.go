package sessionaccess_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestAnObjectStaysWhileIAMFailsToTakeItsAccessAway(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user01", scenario.PC02)
	w.Create(scenario.Account(), one, two)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.AwaitAccess(two, v1alpha1.ReasonGranted)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "iam:CreatePolicyVersion"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), one))
	// The second try knows less of what IAM holds than the first.
	seen := w.LastCall()
	for range 8 {
		call, err := w.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Operation == "CreatePolicyVersion" })
		w.Must(err)
		seen = call.N
	}
	held := w.AwaitAccess(one, v1alpha1.ReasonAWSUnavailable)
	if held.Status.Revocation != nil {
		t.Error("the permission is said to be gone, and IAM holds it")
	}
	w.Emulator.RemoveFault(id)
	w.AwaitAccess(one, v1alpha1.ReasonEndingSessions)
	w.ExpectAccess(false, true, false, false)
}

func TestAGrantOfManyTagsCanBeTakenAway(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("many-tags", "user01", scenario.PC01)
	for i := range 8 {
		tags := map[string]string{}
		for j := range 44 {
			tags[fmt.Sprintf("k%d", j)] = fmt.Sprint(i)
		}
		grant.Spec.Targets = append(grant.Spec.Targets, v1alpha1.Target{Tags: tags})
	}
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(w.Namespace(t.Context(), scenario.Team, map[string]string{"team": "gone"}))
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
}

func TestADeletionAfterANarrowingHasAWindowOfItsOwn(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("one", "user01", scenario.PC01, scenario.PC02)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = a.Spec.Targets[0].InstanceIDs[:1] })
	first := w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions).Status.Revocation
	w.Emulator.Advance(scenario.Window / 2)
	w.Must(w.Client.Delete(t.Context(), grant))
	_, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Revocation != nil && a.Status.Revocation.PermissionGoneAt.After(first.PermissionGoneAt.Time)
	})
	w.Must(err)
}

func TestAPrincipalOfManyPoliciesDoesNotBreakAStatus(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	ids := scenario.ManyIDs(5400)
	var all []*v1alpha1.SessionAccess
	for i := range 3 {
		grant := scenario.Access(fmt.Sprint("set-", i), "", scenario.PC01)
		grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalPermissionSet, Name: "Large"}}
		grant.Spec.Targets = nil
		for part := range 6 {
			from := (i*6 + part) * 300
			grant.Spec.Targets = append(grant.Spec.Targets, v1alpha1.Target{InstanceIDs: ids[from : from+300]})
		}
		w.Create(grant)
		all = append(all, grant)
	}
	for _, grant := range all {
		w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	}
}

func TestAMemberWhoJoinedUnseenLosesTheirSessionToo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(scenario.AccountID).IAM
	w.Must(aws.AddGroup(fixtures.Group{Name: "operators"}))
	grant := scenario.Access("group", "", scenario.PC01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(aws.AddUser(fixtures.User{Name: "newcomer", Groups: []string{"operators"}}))
	session := w.OpenSession(scenario.UserARN("newcomer"), scenario.PC01)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(session)
}

func TestAPermissionSetKeepsThePolicyThatItReferences(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("set", "", scenario.PC01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalPermissionSet, Name: "Ops"}}
	w.Create(scenario.Account(), grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	arn := got.Status.Principals[0].PolicyARNs[0]
	role := "AWSReservedSSO_Ops_0123456789abcdef"
	w.Must(w.Emulator.Account(scenario.AccountID).IAM.AddRole(fixtures.Role{
		Name: role, Grants: fixtures.Grants{Attached: []string{arn}},
		Trust: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + scenario.AccountID + `"},"Action":"sts:AssumeRole"}]}`),
	}))
	// A foreign attachment counts once the operator's own write is past the window.
	w.Advance(scenario.Window)
	w.AwaitResyncs(2)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.AwaitResyncs(3)
	if left := w.OwnedPolicies(); len(left) != 1 {
		t.Errorf("%d policies are left, want the one that the permission set references", len(left))
	}
}

func TestObserveEndsNobodysSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.ExpectSessionsOpen(session)
}

func TestWhatNeverReachedAWSCanBeDeleted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.AccountID = "111111111111" })
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccount(main, v1alpha1.ReasonWrongAccount)
	w.AwaitAccess(grant, v1alpha1.ReasonAccountNotReady)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.Must(w.Client.Delete(t.Context(), main))
	w.Must(testenv.WaitGone(t.Context(), w.Client, main))
}

func TestAnUnresolvedReferenceDoesNotEscapeANewGuardrail(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(), scenario.Access("one", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets = append(a.Spec.Targets, v1alpha1.Target{ActivationRef: &v1alpha1.LocalReference{Name: "later"}})
	})
	w.AwaitAccess(grant, v1alpha1.ReasonReferenceNotResolved)
	w.ExpectAccess(true, false, false, false)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{{
			Name: "tagged", NamespaceSelector: &metav1.LabelSelector{}, RequiredTags: map[string]string{"Team": "a"},
		}}
	})
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
}
