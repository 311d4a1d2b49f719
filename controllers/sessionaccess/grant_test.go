package sessionaccess_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestTwoUsersReachTheirOwnInstanceOnly(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := scenario.Access("user01-pc01", "user01", scenario.PC01), scenario.Access("user02-pc02", "user02", scenario.PC02)
	w.Create(scenario.Account(), one, two)
	got := w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.AwaitAccess(two, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, false, false, true)

	if got.Status.Summary.Principals != "User/user01" || got.Status.Summary.Targets != scenario.PC01 || got.Status.Summary.Policies == "" {
		t.Errorf("the summary is %+v", got.Status.Summary)
	}
	if p := got.Status.Principals; len(p) != 1 || p[0].State != v1alpha1.PrincipalGranted || len(p[0].PolicyARNs) != 1 {
		t.Errorf("the principals are %+v", p)
	}
	if n := w.IAMWrites(); n != 4 {
		t.Errorf("two new principals took %d writes, want 2 each", n)
	}
}

func TestDeletedAccessIsGoneAndTheOtherUserNoticesNothing(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := scenario.Access("user01-pc01", "user01", scenario.PC01), scenario.Access("user02-pc02", "user02", scenario.PC02)
	w.Create(scenario.Account(), one, two)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.AwaitAccess(two, v1alpha1.ReasonGranted)

	w.Must(w.Client.Delete(t.Context(), one))
	w.AwaitAccess(one, v1alpha1.ReasonEndingSessions)
	w.ExpectAccess(false, false, false, true)
	w.Advance(scenario.Window, one)
	w.Must(testenv.WaitGone(t.Context(), w.Client, one))
	if policies := w.OwnedPolicies(); len(policies) != 1 {
		t.Errorf("%v are left, want the policy of user02 alone", policies)
	}
}

func TestAGrantOnAGroupReachesItsMembers(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(scenario.AccountID).IAM
	w.Must(aws.AddGroup(fixtures.Group{Name: "operators"}))
	w.Must(aws.AddUser(fixtures.User{Name: "member", Groups: []string{"operators"}}))
	grant := scenario.Access("operators", "", scenario.PC01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "Operators"}}
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if !w.MayOpen("member", scenario.PC01) || w.MayOpen("member", scenario.PC02) {
		t.Error("a member of the group has other access than the group was granted")
	}
}

func TestAMissingUserIsToldAndTheOthersWork(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("both", "user01", scenario.PC01)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "newcomer"})
	w.Create(scenario.Account(), grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonPrincipalNotFound)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "newcomer", scenario.AccountID)
	states := map[string]v1alpha1.PrincipalState{}
	for _, p := range got.Status.Principals {
		states[p.Name] = p.State
	}
	if states["user01"] != v1alpha1.PrincipalGranted || states["newcomer"] != v1alpha1.PrincipalNotFound {
		t.Errorf("the states are %v", states)
	}
	w.ExpectAccess(true, false, false, false)

	w.Must(w.Emulator.Account(scenario.AccountID).IAM.AddUser(fixtures.User{Name: "newcomer"}))
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if !w.MayOpen("newcomer", scenario.PC01) {
		t.Error("the user that was missing has no access")
	}
}

func TestAPermissionSetGetsItsPolicyAttachedToNothing(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("admins", "", scenario.PC01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalPermissionSet, Name: "Admins"}}
	w.Create(scenario.Account(), grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	policies := w.OwnedPolicies()
	if len(policies) != 1 || len(w.Emulator.Account(scenario.AccountID).IAM.Latest().HoldersOf(policies[0].ARN)) != 0 {
		t.Errorf("the policies are %v, want one that is attached to nothing", policies)
	}
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, policies[0].Name, "/ssm-access/"+testenv.DefaultOwner+"/")
}

func TestObserveWritesNothingAndTellsWhatItWouldDo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main, grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "Observe", "create policy", "attach it to user user01")
	if n := w.IAMWrites(); n != 0 {
		t.Fatalf("%d writes in mode Observe", n)
	}
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, false, false, false)
}

func TestAnObservedAccessCanBeDeleted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	if n := w.IAMWrites(); n != 0 {
		t.Errorf("%d writes in mode Observe", n)
	}
}

func TestANarrowedAccessLosesWhatWentAndKeepsTheRest(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("user01", "user01", scenario.PC01, scenario.PC02)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, true, false, false)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02} })
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.ExpectAccess(false, true, false, false)
	w.Advance(scenario.Window, grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if len(got.Status.Applied.Revoking) != 0 || got.Status.Revocation == nil || got.Status.Revocation.Sessions != v1alpha1.SessionsEnded {
		t.Errorf("the revocation is not complete: %+v", got.Status.Revocation)
	}
}

func TestAReplacedPrincipalLosesItsAccess(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Principals[0].Name = "user02" })
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.ExpectAccess(false, false, true, false)
}

func TestStatusWritesOfANewObjectAreFew(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	aws := w.Emulator.Account(scenario.AccountID).IAM
	grant := scenario.Access("many", "user01", scenario.PC01)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		w.Must(aws.AddUser(fixtures.User{Name: name}))
		grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: name})
	}
	versions := w.countVersions(grant)
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	// Created, the finalizer, and at most three writes of the status.
	if n := versions(); n > 5 {
		t.Errorf("the object was written %d times, want at most 5", n)
	}
}

// countVersions counts the versions of an object that the API server stores
// until the function that it returns is called.
func (w world) countVersions(obj *v1alpha1.SessionAccess) func() int {
	w.T.Helper()
	watcher, err := w.Client.Watch(w.T.Context(), &v1alpha1.SessionAccessList{})
	w.Must(err)
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
