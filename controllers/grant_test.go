package controllers_test

import (
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestTwoUsersReachTheirOwnInstanceOnly(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := access("user01-pc01", "user01", pc01), access("user02-pc02", "user02", pc02)
	w.create(account(), one, two)
	got := w.accessIs(one, v1alpha1.ReasonGranted)
	w.accessIs(two, v1alpha1.ReasonGranted)
	w.grid(true, false, false, true)

	if got.Status.Summary.Principals != "User/user01" || got.Status.Summary.Targets != pc01 || got.Status.Summary.Policies == "" {
		t.Errorf("the summary is %+v", got.Status.Summary)
	}
	if p := got.Status.Principals; len(p) != 1 || p[0].State != v1alpha1.PrincipalGranted || len(p[0].PolicyARNs) != 1 {
		t.Errorf("the principals are %+v", p)
	}
	if n := w.writes(); n != 4 {
		t.Errorf("two new principals took %d writes, want 2 each", n)
	}
}

func TestDeletedAccessIsGoneAndTheOtherUserNoticesNothing(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := access("user01-pc01", "user01", pc01), access("user02-pc02", "user02", pc02)
	w.create(account(), one, two)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.accessIs(two, v1alpha1.ReasonGranted)

	w.must(w.Client.Delete(t.Context(), one))
	w.accessIs(one, v1alpha1.ReasonEndingSessions)
	w.grid(false, false, false, true)
	w.advance(testWindow, one)
	w.must(testenv.WaitGone(t.Context(), w.Client, one))
	if policies := w.ourPolicies(); len(policies) != 1 {
		t.Errorf("%v are left, want the policy of user02 alone", policies)
	}
}

func TestAGrantOnAGroupReachesItsMembers(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(accountID).IAM
	w.must(aws.AddGroup(fixtures.Group{Name: "operators"}))
	w.must(aws.AddUser(fixtures.User{Name: "member", Groups: []string{"operators"}}))
	grant := access("operators", "", pc01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "Operators"}}
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	if !w.may("member", pc01) || w.may("member", pc02) {
		t.Error("a member of the group has other access than the group was granted")
	}
}

func TestAMissingUserIsToldAndTheOthersWork(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("both", "user01", pc01)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "newcomer"})
	w.create(account(), grant)
	got := w.accessIs(grant, v1alpha1.ReasonPrincipalNotFound)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "newcomer", accountID)
	states := map[string]v1alpha1.PrincipalState{}
	for _, p := range got.Status.Principals {
		states[p.Name] = p.State
	}
	if states["user01"] != v1alpha1.PrincipalGranted || states["newcomer"] != v1alpha1.PrincipalNotFound {
		t.Errorf("the states are %v", states)
	}
	w.grid(true, false, false, false)

	w.must(w.Emulator.Account(accountID).IAM.AddUser(fixtures.User{Name: "newcomer"}))
	w.accessIs(grant, v1alpha1.ReasonGranted)
	if !w.may("newcomer", pc01) {
		t.Error("the user that was missing has no access")
	}
}

func TestAPermissionSetGetsItsPolicyAttachedToNothing(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("admins", "", pc01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalPermissionSet, Name: "Admins"}}
	w.create(account(), grant)
	got := w.accessIs(grant, v1alpha1.ReasonGranted)
	policies := w.ourPolicies()
	if len(policies) != 1 || len(w.Emulator.Account(accountID).IAM.Latest().HoldersOf(policies[0].ARN)) != 0 {
		t.Errorf("the policies are %v, want one that is attached to nothing", policies)
	}
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, policies[0].Name, "/ssm-access/"+testenv.DefaultOwner+"/")
}

func TestObserveWritesNothingAndTellsWhatItWouldDo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	grant := access("user01-pc01", "user01", pc01)
	w.create(main, grant)
	got := w.accessIs(grant, v1alpha1.ReasonObserved)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "Observe", "create policy", "attach it to user user01")
	if n := w.writes(); n != 0 {
		t.Fatalf("%d writes in mode Observe", n)
	}
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(true, false, false, false)
}

func TestAnObservedAccessCanBeDeleted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	grant := access("user01-pc01", "user01", pc01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonObserved)
	w.must(w.Client.Delete(t.Context(), grant))
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	if n := w.writes(); n != 0 {
		t.Errorf("%d writes in mode Observe", n)
	}
}

func TestANarrowedAccessLosesWhatWentAndKeepsTheRest(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("user01", "user01", pc01, pc02)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(true, true, false, false)
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02} })
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.grid(false, true, false, false)
	w.advance(testWindow, grant)
	got := w.accessIs(grant, v1alpha1.ReasonGranted)
	if len(got.Status.Applied.Revoking) != 0 || got.Status.Revocation == nil || got.Status.Revocation.Sessions != v1alpha1.SessionsEnded {
		t.Errorf("the revocation is not complete: %+v", got.Status.Revocation)
	}
}

func TestAReplacedPrincipalLosesItsAccess(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("pc01", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Principals[0].Name = "user02" })
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.grid(false, false, true, false)
}

func TestStatusWritesOfANewObjectAreFew(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	aws := w.Emulator.Account(accountID).IAM
	grant := access("many", "user01", pc01)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		w.must(aws.AddUser(fixtures.User{Name: name}))
		grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: name})
	}
	versions := w.countVersions(grant)
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	// Created, the finalizer, and at most three writes of the status.
	if n := versions(); n > 5 {
		t.Errorf("the object was written %d times, want at most 5", n)
	}
}

// ourPolicies lists the operator's policies in AWS.
func (w world) ourPolicies() []*iam.Policy {
	var ours []*iam.Policy
	for p := range w.Emulator.Account(accountID).IAM.Latest().Policies() {
		if p.Path == "/ssm-access/"+testenv.DefaultOwner+"/" {
			ours = append(ours, p)
		}
	}
	slices.SortFunc(ours, func(a, b *iam.Policy) int { return len(a.Name) - len(b.Name) })
	return ours
}

// countVersions counts the versions of an object that the API server stores
// until the function that it returns is called.
func (w world) countVersions(obj *v1alpha1.SessionAccess) func() int {
	w.t.Helper()
	watcher, err := w.Client.Watch(w.t.Context(), &v1alpha1.SessionAccessList{})
	w.must(err)
	seen, name := map[string]bool{}, obj.Name
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range watcher.ResultChan() {
			if a, ok := event.Object.(*v1alpha1.SessionAccess); ok && a.Name == name {
				seen[a.ResourceVersion] = true
			}
		}
	}()
	return func() int {
		watcher.Stop()
		<-done
		return len(seen)
	}
}
