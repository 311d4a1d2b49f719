package sessionaccess_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// responder is a user with permissions of its own, which no grant gives.
func (w world) responder() {
	w.T.Helper()
	aws := w.Emulator.Account(scenario.AccountID).IAM
	w.Must(aws.AddUser(fixtures.User{Name: "responder"}))
	w.AddForeignPolicy(fixtures.Policy{Name: "IncidentResponse", Document: []byte(scenario.AllowAllOfSSM)})
	w.Must(aws.Attach(emuiam.User, "responder", "arn:aws:iam::"+scenario.AccountID+":policy/IncidentResponse"))
}

// revoked deletes an object and waits until its revocation is complete.
func (w world) revoked(grant *v1alpha1.SessionAccess) {
	w.T.Helper()
	w.Must(w.Client.Delete(w.T.Context(), grant))
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(w.T.Context(), w.Client, grant))
}

func TestASessionOlderThanEveryGrantIsLeftOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.responder()
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	session := w.OpenSession(scenario.UserARN("responder"), scenario.PC01)
	w.Advance(time.Hour)
	grant := scenario.Access("kick", "responder", scenario.PC01)
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	younger := w.OpenSession(scenario.UserARN("responder"), scenario.PC01)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(younger)
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.ExpectSessionsOpen(session)
}

func TestANodeAddedToAnOldGrantLeavesOlderSessionsOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.responder()
	grant := scenario.Access("old", "responder", scenario.PC02)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	foreign, granted := w.OpenSession(scenario.UserARN("responder"), scenario.PC01), w.OpenSession(scenario.UserARN("responder"), scenario.PC02)
	w.Advance(time.Hour)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01, scenario.PC02}
	})
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(granted)
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.ExpectSessionsOpen(foreign)
}

func TestASessionThatBeganWithinClockSkewOfItsGrantEnds(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Advance(4 * time.Minute)
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(session)
}

func TestARenamedGrantEndsTheSessionsThatItTookOver(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	before := scenario.Access("before", "user01", scenario.PC01)
	w.Create(scenario.Account(), before)
	w.AwaitAccess(before, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Advance(time.Hour)
	after := scenario.Access("after", "user01", scenario.PC01)
	w.Create(after)
	w.AwaitAccess(after, v1alpha1.ReasonGranted)
	w.revoked(before)
	w.ExpectSessionsOpen(session)
	w.Must(w.Client.Delete(t.Context(), after))
	w.AwaitSessionEnd(session)
}

func TestAMergedGrantEndsTheSessionsOfThoseThatItReplaces(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.SetNodeTags(scenario.PC02, map[string]string{"Env": "stg"})
	one, two := scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user01")
	two.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	w.Create(scenario.Account(), one, two)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.AwaitAccess(two, v1alpha1.ReasonGranted)
	first, second := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user01"), scenario.PC02)
	w.Advance(time.Hour)
	both := scenario.Access("both", "user01", scenario.PC01, scenario.PC02)
	w.Create(both)
	w.AwaitAccess(both, v1alpha1.ReasonGranted)
	w.revoked(one)
	w.revoked(two)
	w.ExpectSessionsOpen(first, second)
	w.Must(w.Client.Delete(t.Context(), both))
	w.AwaitSessionEnd(first)
	w.AwaitSessionEnd(second)
}

// What a grant loses and gets back meanwhile, it has not lost the sessions of.
func TestANodeThatComesBackBringsItsSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("g", "user01", scenario.PC01, scenario.PC02)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Advance(time.Hour)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02} })
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01) // IAM lags.
	w.Advance(10 * time.Minute)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01, scenario.PC02}
	})
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectSessionsOpen(session)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(session)
}

// stripped takes an object out of the cluster as the loss of the cluster does, and
// returns it as a backup has it.
func (w world) stripped(grant *v1alpha1.SessionAccess) *v1alpha1.SessionAccess {
	w.T.Helper()
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Finalizers = nil })
	backup := &v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Name: grant.Name, Namespace: grant.Namespace}, Spec: grant.Spec, Status: grant.Status,
	}
	w.Must(w.Client.Delete(w.T.Context(), grant))
	w.Must(testenv.WaitGone(w.T.Context(), w.Client, grant))
	return backup
}

func TestARestoredGrantEndsTheSessionsFromBefore(t *testing.T) {
	for name, restore := range map[string]func(w world, backup *v1alpha1.SessionAccess){
		"without status": func(w world, backup *v1alpha1.SessionAccess) { w.Create(backup) },
		"with status": func(w world, backup *v1alpha1.SessionAccess) {
			status := backup.Status.DeepCopy()
			w.Create(backup)
			w.UpdateStatus(backup, func() client.Object {
				backup.Status = *status
				return backup
			})
		},
		"with the status of an earlier version": func(w world, backup *v1alpha1.SessionAccess) {
			status := backup.Status.DeepCopy()
			w.Create(backup)
			status.Applied.Granted.Since, status.Applied.Granted.Added = nil, nil
			w.UpdateStatus(backup, func() client.Object {
				backup.Status = *status
				return backup
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			one, two := scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user01", scenario.PC02)
			w.Create(scenario.Account(), one, two)
			w.AwaitAccess(one, v1alpha1.ReasonGranted)
			w.AwaitAccess(two, v1alpha1.ReasonGranted)
			first, second := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user01"), scenario.PC02)
			w.Must(m.Stop())
			w.Advance(time.Hour)
			one, two = w.stripped(one), w.stripped(two)
			restore(w, one)
			restore(w, two)
			w.Manager(t, testenv.ManagerOptions{})
			for _, grant := range []*v1alpha1.SessionAccess{one, two} {
				w.AwaitAccess(grant, v1alpha1.ReasonGranted)
				_, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool { return len(a.Finalizers) > 0 })
				w.Must(err)
			}
			w.Must(w.Client.DeleteAllOf(t.Context(), &v1alpha1.SessionAccess{}, client.InNamespace(scenario.Team)))
			w.AwaitSessionEnd(first)
			w.AwaitSessionEnd(second)
		})
	}
}

func TestAFormerMemberOfAGroupLosesItsSession(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(scenario.AccountID).IAM
	w.Must(aws.AddGroup(fixtures.Group{Name: "operators"}))
	w.Must(aws.AddUser(fixtures.User{Name: "member", Groups: []string{"operators"}}))
	w.Must(aws.AddUser(fixtures.User{Name: "stays", Groups: []string{"operators"}}))
	own, group := scenario.Access("own", "member", scenario.PC01), scenario.Access("group", "", scenario.PC01)
	own.Spec.Principals = append(own.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "stays"})
	group.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
	w.Create(scenario.Account(), own, group)
	w.AwaitAccess(own, v1alpha1.ReasonGranted)
	w.AwaitAccess(group, v1alpha1.ReasonGranted)
	left, kept := w.OpenSession(scenario.UserARN("member"), scenario.PC01), w.OpenSession(scenario.UserARN("stays"), scenario.PC01)
	w.Must(aws.Leave("member", "operators"))
	w.Must(w.Client.Delete(t.Context(), own))
	w.AwaitSessionEnd(left)
	w.AwaitAccess(own, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, own)
	w.Must(testenv.WaitGone(t.Context(), w.Client, own))
	w.ExpectSessionsOpen(kept)
}
