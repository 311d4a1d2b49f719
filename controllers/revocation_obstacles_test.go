package controllers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The first region in their order lists sessions at once, and hangs when one is ended.
func TestASessionWhoseEndHangsKeepsNoOtherRegionWaiting(t *testing.T) {
	for name, action := range map[string]string{"TerminateSession": "ssm:TerminateSession", "tags": "ec2:DescribeInstances"} {
		t.Run(name, func(t *testing.T) {
			const first = "af-south-1"
			w := worldWithoutManager(t)
			w.Manager(t, testenv.ManagerOptions{AttemptTimeout: 10 * time.Second})
			grant := access("g", "user01", pc01)
			w.create(account(func(a *v1alpha1.AWSAccount) { a.Spec.Regions = []v1alpha1.Region{first, region} }), grant)
			w.accessIs(grant, v1alpha1.ReasonGranted)
			var stuck []string
			for range 20 {
				id, err := w.Emulator.OpenSession(user("user01"), first, pc01, "")
				w.must(err)
				stuck = append(stuck, id)
			}
			other := w.open(user("user01"), pc01)
			ids := w.hold(faults.Fault{Action: action, Region: first})
			w.must(w.Client.Delete(t.Context(), grant))
			w.untilEnded(other)
			w.release(ids)
			w.until(func() bool {
				s, ok := w.Emulator.Account(accountID).Region(first).SSM.Session(stuck[0])
				return ok && !s.Ended.IsZero()
			})
		})
	}
}

// An edit that takes nothing away moves the serial of the record on.
func TestObserveHoldsARevocationThatEnforceBeganThoughTheSpecChanges(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := account(), access("g", "user01", pc01, pc02)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession"})
	w.must(err)
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02} })
	w.incomplete(grant, region, "ssm:TerminateSession")
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.accountIs(main, v1alpha1.ReasonVerified)
	w.touch(grant)
	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02, "i-0aaaaaaaaaaaaaaaa"}
	})
	w.accessIs(grant, v1alpha1.ReasonObserved)
	w.touch(grant)
	w.accessIs(grant, v1alpha1.ReasonObserved)
	w.Emulator.RemoveFault(fault)
	w.openStill(session)
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.untilEnded(session)
}

// Both keep access to PC02, so both are still granted something.
func TestAPrincipalWhosePolicyCannotBeNarrowedKeepsNoSessionOfAnotherOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	both := access("both", "user01", pc01, pc02)
	both.Spec.Principals = append(both.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	w.create(account(), both)
	w.accessIs(both, v1alpha1.ReasonGranted)
	mine, theirs := w.open(user("user01"), pc01), w.open(user("user02"), pc01)
	policies := w.ourPolicies()
	i := 0
	for n, p := range policies {
		if strings.Contains(p.ARN, "-user01-") {
			i = n
		}
	}
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:CreatePolicyVersion", Parameter: policies[i].ARN})
	w.must(err)
	change(w, both, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02} })
	w.until(func() bool { return !w.may("user02", pc01) && w.fired(fault) })
	w.accessIs(both, v1alpha1.ReasonAccessDenied)
	w.untilEnded(theirs)
	w.openStill(mine)
	w.Emulator.RemoveFault(fault)
	change(w, both, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02, "i-0aaaaaaaaaaaaaaaa"}
	})
	w.untilEnded(mine)
}

// What AWS still let in when the permission had just gone.
func TestALateSessionEndsWhileAnotherPrincipalIsStuck(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	both := access("both", "user01", pc01)
	both.Spec.Principals = append(both.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	w.create(account(), both)
	w.accessIs(both, v1alpha1.ReasonGranted)
	early := w.open(user("user02"), pc01)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:DetachUserPolicy", Parameter: "user01"})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), both))
	w.untilEnded(early)
	w.accessIs(both, v1alpha1.ReasonAccessDenied)
	late := w.open(user("user02"), pc01)
	w.Emulator.Advance(testWindow)
	w.untilEnded(late)
}

func TestASessionThatAnotherGrantComesToAllowIsNotCountedAsEnded(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := access("one", "user01", pc01), access("two", "user01", pc01)
	w.create(account(), one)
	w.accessIs(one, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession"})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), one))
	got := one
	w.incomplete(one, region, "ssm:TerminateSession")
	w.must(w.Client.Get(t.Context(), keyOf(one), got))
	if !slices.Contains(got.Status.Revocation.Ending, session) {
		t.Fatalf("the record is %+v", got.Status.Revocation)
	}
	w.create(two)
	w.accessIs(two, v1alpha1.ReasonGranted)
	w.Emulator.RemoveFault(fault)
	w.advance(testWindow, one)
	w.must(testenv.WaitGone(t.Context(), w.Client, one))
	w.openStill(session)
	w.must(testenv.WaitCount(t.Context(), w.Client, &eventsv1.Event{}, 1, func(e *eventsv1.Event) bool {
		return e.Regarding.UID == one.UID && strings.Contains(e.Note, "no open session was ended")
	}))
}

// The tenant of the other grant has filled its object.
func TestASessionPassesToAnObjectThatHasNoRoom(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	one, two := access("one", "user01", pc01), access("two", "user01", pc01)
	w.create(account(), one)
	w.accessIs(one, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	w.Emulator.Advance(time.Hour)
	w.create(two)
	w.accessIs(two, v1alpha1.ReasonGranted)
	w.looked(two)
	w.fill(two)
	w.must(w.Client.Delete(t.Context(), one))
	w.until(func() bool { return w.ssmCalls(0, "DescribeSessions") > 3 })
	w.advance(testWindow, one)
	w.must(testenv.WaitGone(t.Context(), w.Client, one))
	w.openStill(session)
}

// A pending revocation has room for ten sessions.
func TestSessionsThatDoNotEndLeaveRoomToTheOthers(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-pc01", "user01", pc01)
	w.create(account(mayAbandon), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	var sessions []string
	for range 12 {
		sessions = append(sessions, w.open(user("user01"), pc01))
	}
	restore := w.lose()
	w.abandon(grant)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	all, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession"})
	w.must(err)
	restore()
	got, err := testenv.WaitFor(t.Context(), w.Client, account(), func(a *v1alpha1.AWSAccount) bool {
		return len(a.Status.Owed) == 1 && a.Status.Owed[0].Revocation != nil && len(a.Status.Owed[0].Revocation.Ending) == 10 && w.fired(all)
	})
	w.must(err)
	stuck := got.Status.Owed[0].Revocation.Ending
	for _, id := range stuck {
		_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession", Parameter: id})
		w.must(err)
	}
	w.Emulator.RemoveFault(all)
	w.Emulator.Advance(testWindow)
	change(w, account(), func(a *v1alpha1.AWSAccount) { a.Spec.DataChannelScope = v1alpha1.DataChannelAccount })
	for _, id := range sessions {
		if !slices.Contains(stuck, id) {
			w.untilEnded(id)
		}
	}
}

// A bulk read takes long where IAM is large.
func TestMembershipIsReadOnceForAllRegions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.must(w.Emulator.Account(accountID).IAM.AddGroup(fixtures.Group{Name: "operators"}))
	grant := access("g", "", pc01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
	w.create(account(func(a *v1alpha1.AWSAccount) {
		a.Spec.Regions = []v1alpha1.Region{region, "eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-west-2"}
	}), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	before := w.LastCall()
	w.must(w.Client.Delete(t.Context(), grant))
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	reads := 0
	for _, call := range w.Emulator.CallLog(before) {
		if call.Operation == "GetAccountAuthorizationDetails" {
			reads++
		}
	}
	if reads != 1 {
		t.Errorf("IAM was read in bulk %d times, want once", reads)
	}
}
