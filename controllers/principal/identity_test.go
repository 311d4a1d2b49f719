package principal_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// settled waits until an access is granted, with the ids of its principals on
// record.
func (w world) settled(grant *v1alpha1.SessionAccess) {
	w.T.Helper()
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	_, err := testenv.WaitFor(w.T.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Applied != nil && a.Status.Applied.Granted != nil &&
			len(a.Status.Applied.Granted.PrincipalIDs) == len(a.Spec.Principals)
	})
	w.Must(err)
}

func TestTheSessionsOfADeletedUserAreEnded(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Must(w.IAM().AddUser(fixtures.User{Name: "leaver"}))
	grant := scenario.Access("g", "leaver", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.settled(grant)
	w.Advance(scenario.Window)
	id := w.OpenSession(scenario.UserARN("leaver"), scenario.PC01)
	w.Must(w.IAM().RemoveEntity(emuiam.User, "leaver"))
	got := w.AwaitAccess(grant, v1alpha1.ReasonPrincipalNotFound)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `"leaver"`, "was deleted", "AIDA")
	w.AwaitSessionEnd(id)
	w.AwaitEvent(grant, v1alpha1.ReasonPrincipalDisappeared)
}

func TestAUserMadeAgainGetsNothingUntilThatIsConfirmed(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Must(w.IAM().AddUser(fixtures.User{Name: "joe"}))
	grant := scenario.Access("g", "joe", scenario.PC01)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	w.Create(scenario.Account(), grant)
	w.settled(grant)
	w.Advance(scenario.Window)
	id := w.OpenSession(scenario.UserARN("joe"), scenario.PC01)
	w.Must(w.IAM().RemoveEntity(emuiam.User, "joe"))
	w.Must(w.IAM().AddUser(fixtures.User{Name: "Joe"}))
	got := w.AwaitAccess(grant, v1alpha1.ReasonPrincipalRecreated)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `"joe"`, "recreatedPrincipals: Grant", "add it again")
	w.AwaitSessionEnd(id)
	w.AwaitBulkReads(2)
	if w.MayOpen("Joe", scenario.PC01) {
		t.Fatal("the user who got the name has the access of the one before")
	}
	if !w.MayOpen("user02", scenario.PC01) {
		t.Error("another principal of the same object lost its access")
	}

	// Removed, and added again when it is gone from the record.
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Principals = a.Spec.Principals[1:] })
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Principals = append(a.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "joe"})
	})
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if !w.MayOpen("Joe", scenario.PC01) {
		t.Error("the user has no access although it was confirmed")
	}
}

// A label of the namespace that is gone for a while confirms nothing.
func TestAUserMadeAgainDuringARefusalGetsNothingUntilThatIsConfirmed(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Must(w.IAM().AddUser(fixtures.User{Name: "joe"}))
	grant := scenario.Access("g", "joe", scenario.PC01)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(scenario.Account(), grant)
	w.settled(grant)
	flip := func(team, reason string) {
		w.Must(w.Namespace(t.Context(), grant.Namespace, map[string]string{"team": team}))
		w.AwaitAccess(grant, reason)
	}
	revoked := func() {
		_, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
			return a.Status.Applied.Granted == nil && len(a.Status.Applied.Revoking) == 0
		})
		w.Must(err)
	}
	flip("b", v1alpha1.ReasonNamespaceNotAllowed)
	revoked()
	w.Advance(scenario.Window)
	w.Must(w.IAM().RemoveEntity(emuiam.User, "joe"))
	w.Must(w.IAM().AddUser(fixtures.User{Name: "joe"}))
	w.AwaitBulkReads(2)
	flip("a", v1alpha1.ReasonPrincipalRecreated)
	if w.MayOpen("joe", scenario.PC01) {
		t.Fatal("the user who got the name has the access of the one before")
	}
	if !w.MayOpen("user02", scenario.PC01) {
		t.Error("another principal of the same object has no access")
	}

	// Removed while nothing is granted, and added again, it is confirmed.
	flip("b", v1alpha1.ReasonNamespaceNotAllowed)
	revoked()
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Principals = a.Spec.Principals[1:] })
	w.AwaitAccess(grant, v1alpha1.ReasonNamespaceNotAllowed)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Principals = append(a.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "joe"})
	})
	flip("a", v1alpha1.ReasonGranted)
	if !w.MayOpen("joe", scenario.PC01) {
		t.Error("the user has no access although it was confirmed")
	}
}

func TestAUserMadeAgainIsGrantedWhereTheAccountSaysSo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Must(w.IAM().AddUser(fixtures.User{Name: "joe"}))
	grant := scenario.Access("g", "joe", scenario.PC01)
	w.Create(scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.RecreatedPrincipals = v1alpha1.RecreatedGrant }), grant)
	w.settled(grant)
	w.Advance(scenario.Window)
	before := grant.DeepCopy()
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(grant), before))
	w.Must(w.IAM().RemoveEntity(emuiam.User, "joe"))
	w.Must(w.IAM().AddUser(fixtures.User{Name: "joe"}))
	w.Eventually(func() bool { return w.MayOpen("joe", scenario.PC01) })
	_, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		ids := a.Status.Applied.Granted.PrincipalIDs
		return len(ids) == 1 && ids[0].ID != before.Status.Applied.Granted.PrincipalIDs[0].ID
	})
	w.Must(err)
}

func TestARenamedUserLosesThePoliciesAndTheSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Must(w.IAM().AddUser(fixtures.User{Name: "maiden"}))
	grant := scenario.Access("g", "maiden", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.settled(grant)
	w.Advance(scenario.Window)
	old := w.OpenSession(scenario.UserARN("maiden"), scenario.PC01)
	w.Must(w.IAM().Rename(emuiam.User, "maiden", "married"))
	if !w.MayOpen("married", scenario.PC01) {
		t.Fatal("the renamed user did not keep the policy")
	}
	under := w.OpenSession(scenario.UserARN("married"), scenario.PC01)
	got := w.AwaitAccess(grant, v1alpha1.ReasonPrincipalNotFound)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `"maiden"`, `"married"`)
	w.Eventually(func() bool { return !w.MayOpen("married", scenario.PC01) })
	w.AwaitSessionEnd(old)
	w.AwaitSessionEnd(under)
	w.AwaitEvent(grant, v1alpha1.ReasonPrincipalDisappeared)

	// Back under its name it is the same user.
	w.Must(w.IAM().Rename(emuiam.User, "married", "maiden"))
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if !w.MayOpen("maiden", scenario.PC01) {
		t.Error("the user is back and has no access")
	}
}

func TestARenamedGroupLosesThePoliciesAndItsMembersTheirSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Must(w.IAM().AddGroup(fixtures.Group{Name: "ops"}))
	w.Must(w.IAM().AddUser(fixtures.User{Name: "member", Groups: []string{"ops"}}))
	grant := scenario.Access("g", "", scenario.PC01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "ops"}}
	w.Create(scenario.Account(), grant)
	w.settled(grant)
	w.Advance(scenario.Window)
	id := w.OpenSession(scenario.UserARN("member"), scenario.PC01)
	w.Must(w.IAM().Rename(emuiam.Group, "ops", "operations"))
	w.AwaitAccess(grant, v1alpha1.ReasonPrincipalNotFound)
	w.Eventually(func() bool { return !w.MayOpen("member", scenario.PC01) })
	w.AwaitSessionEnd(id)
}

func TestTheSessionsOfTheMembersOfADeletedGroupAreEnded(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Must(w.IAM().AddGroup(fixtures.Group{Name: "ops"}))
	w.Must(w.IAM().AddUser(fixtures.User{Name: "member", Groups: []string{"ops"}}))
	grant := scenario.Access("g", "", scenario.PC01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "ops"}}
	w.Create(scenario.Account(), grant)
	w.settled(grant)
	w.Advance(scenario.Window)
	w.AwaitBulkReads(1)
	id := w.OpenSession(scenario.UserARN("member"), scenario.PC01)
	stranger := w.OpenSession(scenario.UserARN("user02"), scenario.PC01)
	w.Must(w.IAM().RemoveEntity(emuiam.Group, "ops"))
	w.AwaitAccess(grant, v1alpha1.ReasonPrincipalNotFound)
	w.AwaitSessionEnd(id)
	w.ExpectSessionsOpen(stranger)
}

func TestARecordWithoutIDsTakesTheFirstOneThatIsSeen(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.settled(grant)
	w.Must(m.Stop())
	// What an older version recorded.
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(grant), grant))
	before := grant.DeepCopy()
	grant.Status.Applied.Granted.PrincipalIDs = nil
	w.Must(w.Client.Status().Patch(t.Context(), grant, client.MergeFrom(before)))
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.settled(grant)
	if !w.MayOpen("user01", scenario.PC01) {
		t.Error("the user lost its access")
	}
}
