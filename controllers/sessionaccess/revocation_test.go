package sessionaccess_test

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
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestRevokedUserLosesTheirOpenSessionsAndNobodyElseDoes(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := scenario.Access("user01-pc01", "user01", scenario.PC01), scenario.Access("user02-pc02", "user02", scenario.PC02)
	w.Create(scenario.Account(), one, two)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.AwaitAccess(two, v1alpha1.ReasonGranted)
	mine, theirs := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user02"), scenario.PC02)
	foreign := w.OpenSession(scenario.UserARN("user01"), scenario.PC02) // On a node that no grant ever covered for user01.

	w.Must(w.Client.Delete(t.Context(), one))
	w.AwaitSessionEnd(mine)
	w.AwaitAccess(one, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, one)
	w.Must(testenv.WaitGone(t.Context(), w.Client, one))
	w.ExpectSessionsOpen(theirs, foreign)
}

func TestSessionsOpenedInsideTheLagOfIAMEndToo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(), one)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.Must(w.Client.Delete(t.Context(), one))
	w.AwaitAccess(one, v1alpha1.ReasonEndingSessions)
	late := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Advance(scenario.Window, one)
	w.AwaitSessionEnd(late)
	w.Touch(one)
	w.Must(testenv.WaitGone(t.Context(), w.Client, one))
}

func TestMembersOfAGroupAndCallersOfARoleLoseTheirSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(scenario.AccountID).IAM
	w.Must(aws.AddGroup(fixtures.Group{Name: "operators"}))
	w.Must(aws.AddUser(fixtures.User{Name: "member", Groups: []string{"operators"}}))
	w.Must(aws.AddRole(fixtures.Role{Name: "oncall", Trust: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + scenario.AccountID + `"},"Action":"sts:AssumeRole"}]}`)}))
	grant := scenario.Access("many", "", scenario.PC01)
	grant.Spec.Principals = []v1alpha1.Principal{
		{Kind: v1alpha1.PrincipalGroup, Name: "operators"},
		{Kind: v1alpha1.PrincipalRole, Name: "oncall"},
	}
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	byMember := w.OpenSession(scenario.UserARN("member"), scenario.PC01)
	byRole := w.OpenSession("arn:aws:sts::"+scenario.AccountID+":assumed-role/oncall/alice", scenario.PC01)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(byMember)
	w.AwaitSessionEnd(byRole)
}

func TestASessionThatAnotherGrantAllowsGoesOn(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, again := scenario.Access("one", "user01", scenario.PC01), scenario.Access("again", "user01", scenario.PC01, scenario.PC02)
	w.Create(scenario.Account(), one, again)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.AwaitAccess(again, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Must(w.Client.Delete(t.Context(), one))
	w.AwaitAccess(one, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, one)
	w.Must(testenv.WaitGone(t.Context(), w.Client, one))
	w.ExpectAccess(true, true, false, false)
	w.ExpectSessionsOpen(session)
}

func TestSessionsAreLeftWhereTheManifestSaysSo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one := scenario.Access("one", "user01", scenario.PC01)
	one.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(scenario.Account(), one)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Must(w.Client.Delete(t.Context(), one))
	w.Must(testenv.WaitGone(t.Context(), w.Client, one))
	w.ExpectSessionsOpen(session)
	w.ExpectAccess(false, false, false, false)
}

func TestSessionsOnNodesByTagEndByTheNodesTags(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.SetNodeTags(scenario.PC01, map[string]string{"Env": "stg"})
	w.SetNodeTags(scenario.PC02, map[string]string{"Env": "prod"})
	grant := scenario.Access("stg", "user01", scenario.PC01)
	grant.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	on, off := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user01"), scenario.PC02)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(on)
	w.ExpectSessionsOpen(off)
}

func TestAnAccessEndsAtItsTimeAndStaysReady(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("hour", "user01", scenario.PC01)
	grant.Spec.NotBefore = &metav1.Time{Time: w.Clock.Now().Add(time.Hour).Truncate(time.Second)}
	grant.Spec.NotAfter = &metav1.Time{Time: w.Clock.Now().Add(2 * time.Hour).Truncate(time.Second)}
	w.Create(scenario.Account(), grant)
	w.activeIs(grant, v1alpha1.ReasonNotYetValid)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(false, false, false, false)
	w.Advance(61*time.Minute, grant)
	w.activeIs(grant, v1alpha1.ReasonInForce)
	w.ExpectAccess(true, false, false, false)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Advance(time.Hour, grant)
	w.ExpectAccess(false, false, false, false)
	w.AwaitSessionEnd(session)
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonExpired)
	if c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("an expired access is not Ready: %+v", c)
	}
	w.activeIs(grant, v1alpha1.ReasonExpired)
	if left := w.OwnedPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left of an expired access", len(left))
	}
}

func TestAnAccessStaysWhileAWSIsOutOfReachAndGoesWhenItIsBack(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:Detach*"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), grant))
	got := w.AwaitAccess(grant, v1alpha1.ReasonAccessDenied)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "iam:DetachUserPolicy", "User/user01")
	w.Emulator.RemoveFault(id)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.ExpectAccess(false, false, false, false)
}

func TestARevocationGoesOnAfterARestart(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(m.Stop())
	w.Emulator.SetConsistencyDelay(30 * time.Second)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Manager(t, testenv.ManagerOptions{})
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.ExpectAccess(false, false, false, false)
	if left := w.OwnedPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left", len(left))
	}
}

func TestAfterARestartRevocationsAreTriedBeforeTheFirstGrant(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	old, young := scenario.Access("old", "user01", scenario.PC01), scenario.Access("young", "user02", scenario.PC02)
	w.Create(scenario.Account(), old)
	w.AwaitAccess(old, v1alpha1.ReasonGranted)
	// The young grant is recorded, and its write to AWS fails.
	stuck, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "iam:CreatePolicy"})
	w.Must(err)
	w.Create(young)
	w.AwaitAccess(young, v1alpha1.ReasonAWSUnavailable)
	w.Must(m.Stop())
	w.Emulator.RemoveFault(stuck)

	const slow = 2 * time.Second
	_, err = w.Emulator.Inject(faults.Fault{Kind: faults.Latency, Action: "iam:DetachUserPolicy", Latency: faults.Duration(slow)})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), old))
	seen := w.LastCall()
	w.Manager(t, testenv.ManagerOptions{})
	made, err := w.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Operation == "CreatePolicy" })
	w.Must(err)
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
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	got := w.AwaitNodesChecked(grant)
	w.Must(m.Stop())
	calls := w.LastCall()
	w.Manager(t, testenv.ManagerOptions{})
	// The newcomer is granted after the restart has gone through everything.
	later := scenario.Access("user02-pc02", "user02", scenario.PC02)
	w.Create(later)
	w.AwaitAccess(later, v1alpha1.ReasonGranted)
	counts := map[string]int{}
	for _, call := range w.Emulator.CallLog(calls) {
		if call.Service != "ssm" { // Its nodes are checked some seconds later, or not yet.
			counts[call.Operation]++
		}
	}
	scenario.ExpectEqual(t, "the calls of a restart and one new grant", counts, map[string]int{
		"GetCallerIdentity": 1, "GetAccountSummary": 1, "GetAccountAuthorizationDetails": 1, "CreatePolicy": 1, "AttachUserPolicy": 1,
	})
	var now v1alpha1.SessionAccess
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(grant), &now))
	if now.ResourceVersion != got.ResourceVersion {
		t.Error("a restart wrote an object that had not changed")
	}
}

func TestAGrantWhoseAnswerWasLostCannotOutliveItsRevocation(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.DropAfter, Action: "iam:CreatePolicy", Count: 3})
	w.Must(err)
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(grant)
	w.Eventually(func() bool { return len(w.OwnedPolicies()) == 1 })
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitAccess(grant, v1alpha1.ReasonRevoking)
	w.Eventually(func() bool { return len(w.OwnedPolicies()) == 0 })
	w.ExpectAccess(false, false, false, false)
}

func TestSessionsThatEndedAreCounted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("both", "user01", scenario.PC01, scenario.PC02)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	one, two := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02} })
	w.AwaitSessionEnd(one)
	w.AwaitSessionEnd(two)
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if n := *got.Status.Revocation.SessionsEnded; n != 2 {
		t.Errorf("%d sessions are counted, want 2", n)
	}
}

func TestSessionsThatEndBeforeAllPermissionIsGoneAreCountedToo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	both, other := scenario.Access("both", "user01", scenario.PC01), scenario.Access("other", "user02", scenario.PC02)
	both.Spec.Principals = append(both.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	w.Create(scenario.Account(), both, other)
	w.AwaitAccess(both, v1alpha1.ReasonGranted)
	w.AwaitAccess(other, v1alpha1.ReasonGranted)
	early, late := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user02"), scenario.PC01)
	// The policy of user02 is changed, that of user01 deleted.
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "iam:CreatePolicyVersion"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), both))
	w.AwaitSessionEnd(early)
	w.ExpectSessionsOpen(late)
	got := w.AwaitAccess(both, v1alpha1.ReasonAWSUnavailable)
	if record := got.Status.Revocation; record == nil || !record.PermissionGoneAt.IsZero() || !slices.Equal(record.Ending, []string{early}) {
		t.Errorf("the record of the sessions that end early is %+v", record)
	}
	w.Emulator.RemoveFault(fault)
	w.Touch(both)
	w.AwaitSessionEnd(late)
	got = w.AwaitAccess(both, v1alpha1.ReasonEndingSessions)
	if got.Status.Revocation.PermissionGoneAt.IsZero() {
		t.Error("the permission is gone, and the status does not say since when")
	}
	w.Advance(scenario.Window, both)
	w.Must(testenv.WaitGone(t.Context(), w.Client, both))
	w.Must(testenv.WaitCount(t.Context(), w.Client, &eventsv1.Event{}, 1, func(e *eventsv1.Event) bool {
		return e.Regarding.UID == both.UID && strings.Contains(e.Note, "2 open sessions were ended")
	}))
}

func TestASessionIsOnRecordBeforeItIsToldToEnd(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("one", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	recorded := make(chan bool, 1)
	w.Emulator.OnCall(func(c calls.Call) {
		if c.Operation != "TerminateSession" {
			return
		}
		var now v1alpha1.SessionAccess
		err := w.Client.Get(t.Context(), scenario.KeyOf(grant), &now)
		select {
		case recorded <- err == nil && now.Status.Revocation != nil && slices.Contains(now.Status.Revocation.Ending, session):
		default:
		}
	})
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(session)
	if !<-recorded {
		t.Error("a session was ended before its id was stored")
	}
}

// byRole is a grant of user01 on what carries the tag that PC01 gets.
func (w world) byRole() *v1alpha1.SessionAccess {
	w.T.Helper()
	tags := map[string]string{"Role": "step"}
	w.SetNodeTags(scenario.PC01, tags)
	grant := scenario.Access("by-role", "user01")
	grant.Spec.Targets = []v1alpha1.Target{{Tags: tags}}
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	return grant
}

func TestASessionWhoseNodeLosesItsTagAmidTheRevocationEndsAllTheSame(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := w.byRole()
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Eventually(func() bool { return w.HasFired(fault) })
	w.SetNodeTags(scenario.PC01, nil)
	w.Emulator.RemoveFault(fault)
	w.Touch(grant)
	w.AwaitSessionEnd(session)
}

func TestASessionOnANodeThatAWSKnowsNoLongerEnds(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := w.byRole()
	mine, theirs := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user02"), scenario.PC01)
	w.Emulator.Account(scenario.AccountID).Region(scenario.Region).Fleet.Remove(scenario.PC01)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(mine)
	w.ExpectSessionsOpen(theirs)
}

func TestAGuardrailThatForbidsLeavingSessionsHoldsForOlderGrants(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(), scenario.Access("one", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{{Name: "end-them", NamespaceSelector: &metav1.LabelSelector{}, ForbidLeaveSessions: true}}
	})
	w.AwaitAccess(grant, v1alpha1.ReasonGuardrailViolated)
	w.AwaitSessionEnd(session)
}

// The operator did not see the object in between: its record has the former onRevoke.
func TestSessionsEndWhereThatIsTheLastThatWasDeclared(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant := scenario.Access("one", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Must(m.Stop())
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.OnRevoke = v1alpha1.RevokeTerminateSessions })
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Manager(t, testenv.ManagerOptions{})
	w.AwaitSessionEnd(session)
}

func TestObserveHoldsARevocationThatEnforceBegan(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(), scenario.Access("one", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.AwaitAccount(main, v1alpha1.ReasonVerified)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Advance(scenario.Window, grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "main", "mode: Enforce")
	w.ExpectSessionsOpen(session)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.AwaitSessionEnd(session)
	w.Touch(grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
}
