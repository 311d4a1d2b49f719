package sessionaccess_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The first region in their order lists sessions at once, and hangs when one is ended.
func TestASessionWhoseEndHangsKeepsNoOtherRegionWaiting(t *testing.T) {
	for name, action := range map[string]string{"TerminateSession": "ssm:TerminateSession", "tags": "ec2:DescribeInstances"} {
		t.Run(name, func(t *testing.T) {
			const first = "af-south-1"
			w := worldWithoutManager(t)
			w.Manager(t, testenv.ManagerOptions{AttemptTimeout: 10 * time.Second})
			grant := scenario.Access("g", "user01", scenario.PC01)
			w.Create(scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Regions = []v1alpha1.Region{first, scenario.Region} }), grant)
			w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			var stuck []string
			for range 20 {
				id, err := w.Emulator.OpenSession(scenario.UserARN("user01"), first, scenario.PC01, "")
				w.Must(err)
				stuck = append(stuck, id)
			}
			other := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
			ids := w.HoldCalls(faults.Fault{Action: action, Region: first})
			w.Must(w.Client.Delete(t.Context(), grant))
			w.AwaitSessionEnd(other)
			w.ReleaseCalls(ids)
			w.Eventually(func() bool {
				s, ok := w.Emulator.Account(scenario.AccountID).Region(first).SSM.Session(stuck[0])
				return ok && !s.Ended.IsZero()
			})
		})
	}
}

// An edit that takes nothing away moves the serial of the record on.
func TestObserveHoldsARevocationThatEnforceBeganThoughTheSpecChanges(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(), scenario.Access("g", "user01", scenario.PC01, scenario.PC02)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession"})
	w.Must(err)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02} })
	w.incomplete(grant, scenario.Region, "ssm:TerminateSession")
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.AwaitAccount(main, v1alpha1.ReasonVerified)
	w.Touch(grant)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02, "i-0aaaaaaaaaaaaaaaa"}
	})
	w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	w.Touch(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	w.Emulator.RemoveFault(fault)
	w.ExpectSessionsOpen(session)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.AwaitSessionEnd(session)
}

// Both keep access to PC02, so both are still granted something.
func TestAPrincipalWhosePolicyCannotBeNarrowedKeepsNoSessionOfAnotherOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	both := scenario.Access("both", "user01", scenario.PC01, scenario.PC02)
	both.Spec.Principals = append(both.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	w.Create(scenario.Account(), both)
	w.AwaitAccess(both, v1alpha1.ReasonGranted)
	mine, theirs := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user02"), scenario.PC01)
	policies := w.OwnedPolicies()
	i := 0
	for n, p := range policies {
		if strings.Contains(p.ARN, "-user01-") {
			i = n
		}
	}
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:CreatePolicyVersion", Parameter: policies[i].ARN})
	w.Must(err)
	scenario.Change(w.World, both, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02} })
	w.Eventually(func() bool { return !w.MayOpen("user02", scenario.PC01) && w.HasFired(fault) })
	w.AwaitAccess(both, v1alpha1.ReasonAccessDenied)
	w.AwaitSessionEnd(theirs)
	w.ExpectSessionsOpen(mine)
	w.Emulator.RemoveFault(fault)
	scenario.Change(w.World, both, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02, "i-0aaaaaaaaaaaaaaaa"}
	})
	w.AwaitSessionEnd(mine)
}

// What AWS still let in when the permission had just gone.
func TestALateSessionEndsWhileAnotherPrincipalIsStuck(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	both := scenario.Access("both", "user01", scenario.PC01)
	both.Spec.Principals = append(both.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	w.Create(scenario.Account(), both)
	w.AwaitAccess(both, v1alpha1.ReasonGranted)
	early := w.OpenSession(scenario.UserARN("user02"), scenario.PC01)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:DetachUserPolicy", Parameter: "user01"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), both))
	w.AwaitSessionEnd(early)
	w.AwaitAccess(both, v1alpha1.ReasonAccessDenied)
	late := w.OpenSession(scenario.UserARN("user02"), scenario.PC01)
	w.Emulator.Advance(scenario.Window)
	w.AwaitSessionEnd(late)
}

func TestASessionThatAnotherGrantComesToAllowIsNotCountedAsEnded(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user01", scenario.PC01)
	w.Create(scenario.Account(), one)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), one))
	got := one
	w.incomplete(one, scenario.Region, "ssm:TerminateSession")
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(one), got))
	if !slices.Contains(got.Status.Revocation.Ending, session) {
		t.Fatalf("the record is %+v", got.Status.Revocation)
	}
	w.Create(two)
	w.AwaitAccess(two, v1alpha1.ReasonGranted)
	w.Emulator.RemoveFault(fault)
	w.Advance(scenario.Window, one)
	w.Must(testenv.WaitGone(t.Context(), w.Client, one))
	w.ExpectSessionsOpen(session)
	w.Must(testenv.WaitCount(t.Context(), w.Client, &eventsv1.Event{}, 1, func(e *eventsv1.Event) bool {
		return e.Regarding.UID == one.UID && strings.Contains(e.Note, "no open session was ended")
	}))
}

// The tenant of the other grant has filled its object.
func TestASessionPassesToAnObjectThatHasNoRoom(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	one, two := scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user01", scenario.PC01)
	w.Create(scenario.Account(), one)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Emulator.Advance(time.Hour)
	w.Create(two)
	w.AwaitAccess(two, v1alpha1.ReasonGranted)
	w.AwaitNodesChecked(two)
	w.fill(two)
	w.Must(w.Client.Delete(t.Context(), one))
	w.Eventually(func() bool { return w.SSMCalls(0, "DescribeSessions") > 3 })
	w.Advance(scenario.Window, one)
	w.Must(testenv.WaitGone(t.Context(), w.Client, one))
	w.ExpectSessionsOpen(session)
}

// A pending revocation has room for ten sessions.
func TestSessionsThatDoNotEndLeaveRoomToTheOthers(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(scenario.AllowForceDeletion), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	var sessions []string
	for range 12 {
		sessions = append(sessions, w.OpenSession(scenario.UserARN("user01"), scenario.PC01))
	}
	restore := w.lose()
	w.forceDelete(grant)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	all, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession"})
	w.Must(err)
	restore()
	got, err := testenv.WaitFor(t.Context(), w.Client, scenario.Account(), func(a *v1alpha1.AWSAccount) bool {
		return len(a.Status.PendingRevocations) == 1 && a.Status.PendingRevocations[0].Revocation != nil && len(a.Status.PendingRevocations[0].Revocation.Ending) == 10 && w.HasFired(all)
	})
	w.Must(err)
	stuck := got.Status.PendingRevocations[0].Revocation.Ending
	for _, id := range stuck {
		_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession", Parameter: id})
		w.Must(err)
	}
	w.Emulator.RemoveFault(all)
	w.Emulator.Advance(scenario.Window)
	scenario.Change(w.World, scenario.Account(), func(a *v1alpha1.AWSAccount) { a.Spec.DataChannelScope = v1alpha1.DataChannelAccount })
	for _, id := range sessions {
		if !slices.Contains(stuck, id) {
			w.AwaitSessionEnd(id)
		}
	}
}

// A bulk read takes long where IAM is large.
func TestMembershipIsReadOnceForAllRegions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Must(w.Emulator.Account(scenario.AccountID).IAM.AddGroup(fixtures.Group{Name: "operators"}))
	grant := scenario.Access("g", "", scenario.PC01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
	w.Create(scenario.Account(func(a *v1alpha1.AWSAccount) {
		a.Spec.Regions = []v1alpha1.Region{scenario.Region, "eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-west-2"}
	}), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	before := w.LastCall()
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
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

// docs/security.md recommends to list in OwnAttachments only the principals that may get
// access: the operator may not detach its policy from anybody else then.
func TestAStrangerThatCannotBeDetachedLosesWhatIsRevoked(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(w.Emulator.Account(scenario.AccountID).IAM.Attach(emuiam.User, "user02", w.OwnedPolicies()[0].ARN))
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:DetachUserPolicy", Parameter: "user02"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
	w.AwaitAccess(grant, v1alpha1.ReasonAccessDenied)
	w.Eventually(func() bool { return !w.MayOpen("user02", scenario.PC01) })
}
