package controllers_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func (w world) iam() *emuiam.Account { return w.Emulator.Account(accountID).IAM }

// bulkReads waits until the operator has begun to read all of IAM so many times.
func (w world) bulkReads(n int) {
	w.t.Helper()
	for range n {
		_, err := w.WaitCall(w.t.Context(), w.LastCall(), func(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" })
		w.must(err)
	}
}

// settled waits until an access is granted, with the ids of its principals on
// record.
func (w world) settled(grant *v1alpha1.SessionAccess) {
	w.t.Helper()
	w.accessIs(grant, v1alpha1.ReasonGranted)
	_, err := testenv.WaitFor(w.t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Applied != nil && a.Status.Applied.Granted != nil &&
			len(a.Status.Applied.Granted.PrincipalIDs) == len(a.Spec.Principals)
	})
	w.must(err)
}

func TestTheSessionsOfADeletedUserAreEnded(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.must(w.iam().AddUser(fixtures.User{Name: "leaver"}))
	grant := access("g", "leaver", pc01)
	w.create(account(), grant)
	w.settled(grant)
	w.advance(testWindow)
	id := w.open(user("leaver"), pc01)
	w.must(w.iam().RemoveEntity(emuiam.User, "leaver"))
	got := w.accessIs(grant, v1alpha1.ReasonPrincipalNotFound)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `"leaver"`, "was deleted", "AIDA")
	w.untilEnded(id)
	w.announced(grant, v1alpha1.ReasonPrincipalDisappeared)
}

func TestAUserMadeAgainGetsNothingUntilThatIsConfirmed(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.must(w.iam().AddUser(fixtures.User{Name: "joe"}))
	grant := access("g", "joe", pc01)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	w.create(account(), grant)
	w.settled(grant)
	w.advance(testWindow)
	id := w.open(user("joe"), pc01)
	w.must(w.iam().RemoveEntity(emuiam.User, "joe"))
	w.must(w.iam().AddUser(fixtures.User{Name: "Joe"}))
	got := w.accessIs(grant, v1alpha1.ReasonPrincipalRecreated)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `"joe"`, "recreatedPrincipals: Grant", "add it again")
	w.untilEnded(id)
	w.bulkReads(2)
	if w.may("Joe", pc01) {
		t.Fatal("the user who got the name has the access of the one before")
	}
	if !w.may("user02", pc01) {
		t.Error("another principal of the same object lost its access")
	}

	// Removed, and added again when it is gone from the record.
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Principals = a.Spec.Principals[1:] })
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Principals = append(a.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "joe"})
	})
	w.accessIs(grant, v1alpha1.ReasonGranted)
	if !w.may("Joe", pc01) {
		t.Error("the user has no access although it was confirmed")
	}
}

// A label of the namespace that is gone for a while confirms nothing.
func TestAUserMadeAgainDuringARefusalGetsNothingUntilThatIsConfirmed(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.must(w.iam().AddUser(fixtures.User{Name: "joe"}))
	grant := access("g", "joe", pc01)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(account(), grant)
	w.settled(grant)
	flip := func(team, reason string) {
		w.must(w.Namespace(t.Context(), grant.Namespace, map[string]string{"team": team}))
		w.accessIs(grant, reason)
	}
	revoked := func() {
		_, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
			return a.Status.Applied.Granted == nil && len(a.Status.Applied.Revoking) == 0
		})
		w.must(err)
	}
	flip("b", v1alpha1.ReasonNamespaceNotAllowed)
	revoked()
	w.advance(testWindow)
	w.must(w.iam().RemoveEntity(emuiam.User, "joe"))
	w.must(w.iam().AddUser(fixtures.User{Name: "joe"}))
	w.bulkReads(2)
	flip("a", v1alpha1.ReasonPrincipalRecreated)
	if w.may("joe", pc01) {
		t.Fatal("the user who got the name has the access of the one before")
	}
	if !w.may("user02", pc01) {
		t.Error("another principal of the same object has no access")
	}

	// Removed while nothing is granted, and added again, it is confirmed.
	flip("b", v1alpha1.ReasonNamespaceNotAllowed)
	revoked()
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Principals = a.Spec.Principals[1:] })
	w.accessIs(grant, v1alpha1.ReasonNamespaceNotAllowed)
	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Principals = append(a.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "joe"})
	})
	flip("a", v1alpha1.ReasonGranted)
	if !w.may("joe", pc01) {
		t.Error("the user has no access although it was confirmed")
	}
}

func TestAUserMadeAgainIsGrantedWhereTheAccountSaysSo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.must(w.iam().AddUser(fixtures.User{Name: "joe"}))
	grant := access("g", "joe", pc01)
	w.create(account(func(a *v1alpha1.AWSAccount) { a.Spec.RecreatedPrincipals = v1alpha1.RecreatedGrant }), grant)
	w.settled(grant)
	w.advance(testWindow)
	before := grant.DeepCopy()
	w.must(w.Client.Get(t.Context(), keyOf(grant), before))
	w.must(w.iam().RemoveEntity(emuiam.User, "joe"))
	w.must(w.iam().AddUser(fixtures.User{Name: "joe"}))
	w.until(func() bool { return w.may("joe", pc01) })
	_, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		ids := a.Status.Applied.Granted.PrincipalIDs
		return len(ids) == 1 && ids[0].ID != before.Status.Applied.Granted.PrincipalIDs[0].ID
	})
	w.must(err)
}

func TestARenamedUserLosesThePoliciesAndTheSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.must(w.iam().AddUser(fixtures.User{Name: "maiden"}))
	grant := access("g", "maiden", pc01)
	w.create(account(), grant)
	w.settled(grant)
	w.advance(testWindow)
	old := w.open(user("maiden"), pc01)
	w.must(w.iam().Rename(emuiam.User, "maiden", "married"))
	if !w.may("married", pc01) {
		t.Fatal("the renamed user did not keep the policy")
	}
	under := w.open(user("married"), pc01)
	got := w.accessIs(grant, v1alpha1.ReasonPrincipalNotFound)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `"maiden"`, `"married"`)
	w.until(func() bool { return !w.may("married", pc01) })
	w.untilEnded(old)
	w.untilEnded(under)
	w.announced(grant, v1alpha1.ReasonPrincipalDisappeared)

	// Back under its name it is the same user.
	w.must(w.iam().Rename(emuiam.User, "married", "maiden"))
	w.accessIs(grant, v1alpha1.ReasonGranted)
	if !w.may("maiden", pc01) {
		t.Error("the user is back and has no access")
	}
}

func TestARenamedGroupLosesThePoliciesAndItsMembersTheirSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.must(w.iam().AddGroup(fixtures.Group{Name: "ops"}))
	w.must(w.iam().AddUser(fixtures.User{Name: "member", Groups: []string{"ops"}}))
	grant := access("g", "", pc01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "ops"}}
	w.create(account(), grant)
	w.settled(grant)
	w.advance(testWindow)
	id := w.open(user("member"), pc01)
	w.must(w.iam().Rename(emuiam.Group, "ops", "operations"))
	w.accessIs(grant, v1alpha1.ReasonPrincipalNotFound)
	w.until(func() bool { return !w.may("member", pc01) })
	w.untilEnded(id)
}

func TestTheSessionsOfTheMembersOfADeletedGroupAreEnded(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.must(w.iam().AddGroup(fixtures.Group{Name: "ops"}))
	w.must(w.iam().AddUser(fixtures.User{Name: "member", Groups: []string{"ops"}}))
	grant := access("g", "", pc01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "ops"}}
	w.create(account(), grant)
	w.settled(grant)
	w.advance(testWindow)
	w.bulkReads(1)
	id := w.open(user("member"), pc01)
	stranger := w.open(user("user02"), pc01)
	w.must(w.iam().RemoveEntity(emuiam.Group, "ops"))
	w.accessIs(grant, v1alpha1.ReasonPrincipalNotFound)
	w.untilEnded(id)
	w.openStill(stranger)
}

func TestARecordWithoutIDsTakesTheFirstOneThatIsSeen(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("g", "user01", pc01)
	w.create(account(), grant)
	w.settled(grant)
	w.must(m.Stop())
	// What an older version recorded.
	w.must(w.Client.Get(t.Context(), keyOf(grant), grant))
	before := grant.DeepCopy()
	grant.Status.Applied.Granted.PrincipalIDs = nil
	w.must(w.Client.Status().Patch(t.Context(), grant, client.MergeFrom(before)))
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.settled(grant)
	if !w.may("user01", pc01) {
		t.Error("the user lost its access")
	}
}
