package controllers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestRevokedUserLosesTheirOpenSessionsAndNobodyElseDoes(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := access("user01-pc01", "user01", pc01), access("user02-pc02", "user02", pc02)
	w.create(account(), one, two)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.accessIs(two, v1alpha1.ReasonGranted)
	mine, theirs := w.open(user("user01"), pc01), w.open(user("user02"), pc02)
	foreign := w.open(user("user01"), pc02) // On a node that no grant ever covered for user01.

	w.must(w.Client.Delete(t.Context(), one))
	w.untilEnded(mine)
	w.accessIs(one, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, one)
	w.must(testenv.WaitGone(t.Context(), w.Client, one))
	w.openStill(theirs, foreign)
}

func TestSessionsOpenedInsideTheLagOfIAMEndToo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one := access("user01-pc01", "user01", pc01)
	w.create(account(), one)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.must(w.Client.Delete(t.Context(), one))
	w.accessIs(one, v1alpha1.ReasonEndingSessions)
	late := w.open(user("user01"), pc01)
	w.advance(testWindow, one)
	w.untilEnded(late)
	w.touch(one)
	w.must(testenv.WaitGone(t.Context(), w.Client, one))
}

func TestMembersOfAGroupAndCallersOfARoleLoseTheirSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(accountID).IAM
	w.must(aws.AddGroup(fixtures.Group{Name: "operators"}))
	w.must(aws.AddUser(fixtures.User{Name: "member", Groups: []string{"operators"}}))
	w.must(aws.AddRole(fixtures.Role{Name: "oncall", Trust: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + accountID + `"},"Action":"sts:AssumeRole"}]}`)}))
	grant := access("many", "", pc01)
	grant.Spec.Principals = []v1alpha1.Principal{
		{Kind: v1alpha1.PrincipalGroup, Name: "operators"},
		{Kind: v1alpha1.PrincipalRole, Name: "oncall"},
	}
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	byMember := w.open(user("member"), pc01)
	byRole := w.open("arn:aws:sts::"+accountID+":assumed-role/oncall/alice", pc01)
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(byMember)
	w.untilEnded(byRole)
}

func TestASessionThatAnotherGrantAllowsGoesOn(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, again := access("one", "user01", pc01), access("again", "user01", pc01, pc02)
	w.create(account(), one, again)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.accessIs(again, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	w.must(w.Client.Delete(t.Context(), one))
	w.accessIs(one, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, one)
	w.must(testenv.WaitGone(t.Context(), w.Client, one))
	w.grid(true, true, false, false)
	w.openStill(session)
}

func TestSessionsAreLeftWhereTheManifestSaysSo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one := access("one", "user01", pc01)
	one.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(account(), one)
	w.accessIs(one, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	w.must(w.Client.Delete(t.Context(), one))
	w.must(testenv.WaitGone(t.Context(), w.Client, one))
	w.openStill(session)
	w.grid(false, false, false, false)
}

func TestSessionsOnNodesByTagEndByTheNodesTags(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.tagNode(pc01, map[string]string{"Env": "stg"})
	w.tagNode(pc02, map[string]string{"Env": "prod"})
	grant := access("stg", "user01", pc01)
	grant.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	on, off := w.open(user("user01"), pc01), w.open(user("user01"), pc02)
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(on)
	w.openStill(off)
}

func TestAnAccessEndsAtItsTimeAndStaysReady(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("hour", "user01", pc01)
	grant.Spec.NotBefore = &metav1.Time{Time: w.Clock.Now().Add(time.Hour).Truncate(time.Second)}
	grant.Spec.NotAfter = &metav1.Time{Time: w.Clock.Now().Add(2 * time.Hour).Truncate(time.Second)}
	w.create(account(), grant)
	w.activeIs(grant, v1alpha1.ReasonNotYetValid)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(false, false, false, false)
	w.advance(61*time.Minute, grant)
	w.activeIs(grant, v1alpha1.ReasonInForce)
	w.grid(true, false, false, false)
	session := w.open(user("user01"), pc01)
	w.advance(time.Hour, grant)
	w.grid(false, false, false, false)
	w.untilEnded(session)
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	got := w.accessIs(grant, v1alpha1.ReasonExpired)
	if c := condition(got.Status.Conditions, v1alpha1.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("an expired access is not Ready: %+v", c)
	}
	w.activeIs(grant, v1alpha1.ReasonExpired)
	if left := w.ourPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left of an expired access", len(left))
	}
}

func TestAnAccessStaysWhileAWSIsOutOfReachAndGoesWhenItIsBack(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-pc01", "user01", pc01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:Detach*"})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), grant))
	got := w.accessIs(grant, v1alpha1.ReasonAccessDenied)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "iam:DetachUserPolicy", "User/user01")
	w.Emulator.RemoveFault(id)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.grid(false, false, false, false)
}

func TestARevocationGoesOnAfterARestart(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant := access("user01-pc01", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(m.Stop())
	w.Emulator.SetConsistencyDelay(30 * time.Second)
	w.must(w.Client.Delete(t.Context(), grant))
	w.Manager(t, testenv.ManagerOptions{})
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.grid(false, false, false, false)
	if left := w.ourPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left", len(left))
	}
}

func TestAfterARestartRevocationsAreTriedBeforeTheFirstGrant(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	old, young := access("old", "user01", pc01), access("young", "user02", pc02)
	w.create(account(), old)
	w.accessIs(old, v1alpha1.ReasonGranted)
	// The young grant is recorded, and its write to AWS fails.
	stuck, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "iam:CreatePolicy"})
	w.must(err)
	w.create(young)
	w.accessIs(young, v1alpha1.ReasonAWSUnavailable)
	w.must(m.Stop())
	w.Emulator.RemoveFault(stuck)

	const slow = 2 * time.Second
	_, err = w.Emulator.Inject(faults.Fault{Kind: faults.Latency, Action: "iam:DetachUserPolicy", Latency: faults.Duration(slow)})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), old))
	seen := w.LastCall()
	w.Manager(t, testenv.ManagerOptions{})
	made, err := w.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Operation == "CreatePolicy" })
	w.must(err)
	for _, call := range w.Emulator.CallLog(seen) {
		if call.Operation == "DetachUserPolicy" {
			if made.Time.Sub(call.Time) < slow {
				t.Error("a grant went while a revocation was under way for the first time")
			}
			return
		}
	}
	t.Error("a grant went before the revocation was tried")
}

func TestARestartWritesNothing(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant := access("user01-pc01", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	got := w.looked(grant)
	w.must(m.Stop())
	calls := w.LastCall()
	w.Manager(t, testenv.ManagerOptions{})
	// The newcomer is granted after the restart has gone through everything.
	later := access("user02-pc02", "user02", pc02)
	w.create(later)
	w.accessIs(later, v1alpha1.ReasonGranted)
	counts := map[string]int{}
	for _, call := range w.Emulator.CallLog(calls) {
		if call.Service != "ssm" { // Its nodes are checked some seconds later, or not yet.
			counts[call.Operation]++
		}
	}
	same(t, "the calls of a restart and one new grant", counts, map[string]int{
		"GetCallerIdentity": 1, "GetAccountSummary": 1, "GetAccountAuthorizationDetails": 1, "CreatePolicy": 1, "AttachUserPolicy": 1,
	})
	var now v1alpha1.SessionAccess
	w.must(w.Client.Get(t.Context(), keyOf(grant), &now))
	if now.ResourceVersion != got.ResourceVersion {
		t.Error("a restart wrote an object that had not changed")
	}
}

func TestAGrantWhoseAnswerWasLostCannotOutliveItsRevocation(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.DropAfter, Action: "iam:CreatePolicy", Count: 3})
	w.must(err)
	grant := access("user01-pc01", "user01", pc01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(grant)
	w.until(func() bool { return len(w.ourPolicies()) == 1 })
	w.must(w.Client.Delete(t.Context(), grant))
	w.accessIs(grant, v1alpha1.ReasonRevoking)
	w.until(func() bool { return len(w.ourPolicies()) == 0 })
	w.grid(false, false, false, false)
}

func TestSessionsThatEndedAreCounted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("both", "user01", pc01, pc02)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	one, two := w.open(user("user01"), pc01), w.open(user("user01"), pc01)
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02} })
	w.untilEnded(one)
	w.untilEnded(two)
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	got := w.accessIs(grant, v1alpha1.ReasonGranted)
	if n := *got.Status.Revocation.SessionsEnded; n != 2 {
		t.Errorf("%d sessions are counted, want 2", n)
	}
}

func TestSessionsThatEndBeforeAllPermissionIsGoneAreCountedToo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	both, other := access("both", "user01", pc01), access("other", "user02", pc02)
	both.Spec.Principals = append(both.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	w.create(account(), both, other)
	w.accessIs(both, v1alpha1.ReasonGranted)
	w.accessIs(other, v1alpha1.ReasonGranted)
	early, late := w.open(user("user01"), pc01), w.open(user("user02"), pc01)
	// The policy of user02 is changed, that of user01 deleted.
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "iam:CreatePolicyVersion"})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), both))
	w.untilEnded(early)
	w.openStill(late)
	got := w.accessIs(both, v1alpha1.ReasonAWSUnavailable)
	if record := got.Status.Revocation; record == nil || !record.PermissionGoneAt.IsZero() || !slices.Equal(record.Ending, []string{early}) {
		t.Errorf("the record of the sessions that end early is %+v", record)
	}
	w.Emulator.RemoveFault(fault)
	w.touch(both)
	w.untilEnded(late)
	got = w.accessIs(both, v1alpha1.ReasonEndingSessions)
	if got.Status.Revocation.PermissionGoneAt.IsZero() {
		t.Error("nobody has the permission, and it is not said since when")
	}
	w.advance(testWindow, both)
	w.must(testenv.WaitGone(t.Context(), w.Client, both))
	w.must(testenv.WaitCount(t.Context(), w.Client, &eventsv1.Event{}, 1, func(e *eventsv1.Event) bool {
		return e.Regarding.UID == both.UID && strings.Contains(e.Note, "2 open sessions were ended")
	}))
}

func TestASessionIsOnRecordBeforeItIsToldToEnd(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("one", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	recorded := make(chan bool, 1)
	w.Emulator.OnCall(func(c calls.Call) {
		if c.Operation != "TerminateSession" {
			return
		}
		var now v1alpha1.SessionAccess
		err := w.Client.Get(t.Context(), keyOf(grant), &now)
		select {
		case recorded <- err == nil && now.Status.Revocation != nil && slices.Contains(now.Status.Revocation.Ending, session):
		default:
		}
	})
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(session)
	if !<-recorded {
		t.Error("a session was told to end before its id was stored")
	}
}

// byRole is a grant of user01 on what carries the tag that PC01 gets.
func (w world) byRole() *v1alpha1.SessionAccess {
	w.t.Helper()
	tags := map[string]string{"Role": "step"}
	w.tagNode(pc01, tags)
	grant := access("by-role", "user01")
	grant.Spec.Targets = []v1alpha1.Target{{Tags: tags}}
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	return grant
}

func TestASessionWhoseNodeLosesItsTagAmidTheRevocationEndsAllTheSame(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := w.byRole()
	session := w.open(user("user01"), pc01)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession"})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), grant))
	w.until(func() bool { return w.fired(fault) })
	w.tagNode(pc01, nil)
	w.Emulator.RemoveFault(fault)
	w.touch(grant)
	w.untilEnded(session)
}

func TestASessionOnANodeThatAWSKnowsNoLongerEnds(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := w.byRole()
	mine, theirs := w.open(user("user01"), pc01), w.open(user("user02"), pc01)
	w.Emulator.Account(accountID).Region(region).Fleet.Remove(pc01)
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(mine)
	w.openStill(theirs)
}

// fired reports whether a fault has struck.
func (w world) fired(fault string) bool {
	return slices.ContainsFunc(w.Emulator.Faults(), func(f faults.Status) bool { return f.ID == fault && f.Fired > 0 })
}

func TestAGuardrailThatForbidsLeavingSessionsHoldsForOlderGrants(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := account(), access("one", "user01", pc01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	change(w, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{{Name: "end-them", NamespaceSelector: &metav1.LabelSelector{}, ForbidLeaveSessions: true}}
	})
	w.accessIs(grant, v1alpha1.ReasonGuardrailViolated)
	w.untilEnded(session)
}

// The operator did not see the object in between: its record has the former onRevoke.
func TestSessionsEndWhereThatIsTheLastThatWasDeclared(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant := access("one", "user01", pc01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	w.must(m.Stop())
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.OnRevoke = v1alpha1.RevokeTerminateSessions })
	w.must(w.Client.Delete(t.Context(), grant))
	w.Manager(t, testenv.ManagerOptions{})
	w.untilEnded(session)
}

func TestObserveHoldsARevocationThatEnforceBegan(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := account(), access("one", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(w.Client.Delete(t.Context(), grant))
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.accountIs(main, v1alpha1.ReasonVerified)
	session := w.open(user("user01"), pc01)
	w.advance(testWindow, grant)
	got := w.accessIs(grant, v1alpha1.ReasonObserved)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "main", "mode: Enforce")
	w.openStill(session)
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.untilEnded(session)
	w.touch(grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
}
