package controllers_test

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// responder is a user with permissions of its own, which no grant gives.
func (w world) responder() {
	w.t.Helper()
	aws := w.Emulator.Account(accountID).IAM
	w.must(aws.AddUser(fixtures.User{Name: "responder"}))
	w.addPolicy(fixtures.Policy{Name: "IncidentResponse", Document: []byte(everything)})
	w.must(aws.Attach(emuiam.User, "responder", "arn:aws:iam::"+accountID+":policy/IncidentResponse"))
}

// revoked deletes an object and waits until its revocation is complete.
func (w world) revoked(grant *v1alpha1.SessionAccess) {
	w.t.Helper()
	w.must(w.Client.Delete(w.t.Context(), grant))
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	w.must(testenv.WaitGone(w.t.Context(), w.Client, grant))
}

func TestASessionOlderThanEveryGrantIsLeftOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.responder()
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	session := w.open(user("responder"), pc01)
	w.advance(time.Hour)
	grant := access("kick", "responder", pc01)
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	younger := w.open(user("responder"), pc01)
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(younger)
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.openStill(session)
}

func TestANodeAddedToAnOldGrantLeavesOlderSessionsOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.responder()
	grant := access("old", "responder", pc02)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	foreign, granted := w.open(user("responder"), pc01), w.open(user("responder"), pc02)
	w.advance(time.Hour)
	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01, pc02}
	})
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(granted)
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.openStill(foreign)
}

func TestASessionThatBeganWithinClockSkewOfItsGrantEnds(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	session := w.open(user("user01"), pc01)
	w.advance(4 * time.Minute)
	grant := access("g", "user01", pc01)
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(session)
}

func TestARenamedGrantEndsTheSessionsThatItTookOver(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	before := access("before", "user01", pc01)
	w.create(account(), before)
	w.accessIs(before, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	w.advance(time.Hour)
	after := access("after", "user01", pc01)
	w.create(after)
	w.accessIs(after, v1alpha1.ReasonGranted)
	w.revoked(before)
	w.openStill(session)
	w.must(w.Client.Delete(t.Context(), after))
	w.untilEnded(session)
}

func TestAMergedGrantEndsTheSessionsOfThoseThatItReplaces(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.tagNode(pc02, map[string]string{"Env": "stg"})
	one, two := access("one", "user01", pc01), access("two", "user01")
	two.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	w.create(account(), one, two)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.accessIs(two, v1alpha1.ReasonGranted)
	first, second := w.open(user("user01"), pc01), w.open(user("user01"), pc02)
	w.advance(time.Hour)
	both := access("both", "user01", pc01, pc02)
	w.create(both)
	w.accessIs(both, v1alpha1.ReasonGranted)
	w.revoked(one)
	w.revoked(two)
	w.openStill(first, second)
	w.must(w.Client.Delete(t.Context(), both))
	w.untilEnded(first)
	w.untilEnded(second)
}

// What a grant loses and gets back meanwhile, it has not lost the sessions of.
func TestANodeThatComesBackBringsItsSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("g", "user01", pc01, pc02)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.advance(time.Hour)
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02} })
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	session := w.open(user("user01"), pc01) // IAM lags.
	w.advance(10 * time.Minute)
	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01, pc02}
	})
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.openStill(session)
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(session)
}

// stripped takes an object out of the cluster as the loss of the cluster does, and
// returns it as a backup has it.
func (w world) stripped(grant *v1alpha1.SessionAccess) *v1alpha1.SessionAccess {
	w.t.Helper()
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Finalizers = nil })
	backup := &v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Name: grant.Name, Namespace: grant.Namespace}, Spec: grant.Spec, Status: grant.Status,
	}
	w.must(w.Client.Delete(w.t.Context(), grant))
	w.must(testenv.WaitGone(w.t.Context(), w.Client, grant))
	return backup
}

func TestARestoredGrantEndsTheSessionsFromBefore(t *testing.T) {
	for name, restore := range map[string]func(w world, backup *v1alpha1.SessionAccess){
		"without status": func(w world, backup *v1alpha1.SessionAccess) { w.create(backup) },
		"with status": func(w world, backup *v1alpha1.SessionAccess) {
			status := backup.Status.DeepCopy()
			w.create(backup)
			backup.Status = *status
			w.must(w.Client.Status().Update(w.t.Context(), backup))
		},
		"with the status of an earlier version": func(w world, backup *v1alpha1.SessionAccess) {
			status := backup.Status.DeepCopy()
			w.create(backup)
			backup.Status = *status
			backup.Status.Applied.Granted.Since, backup.Status.Applied.Granted.Added = nil, nil
			w.must(w.Client.Status().Update(w.t.Context(), backup))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			one, two := access("one", "user01", pc01), access("two", "user01", pc02)
			w.create(account(), one, two)
			w.accessIs(one, v1alpha1.ReasonGranted)
			w.accessIs(two, v1alpha1.ReasonGranted)
			first, second := w.open(user("user01"), pc01), w.open(user("user01"), pc02)
			w.must(m.Stop())
			w.advance(time.Hour)
			one, two = w.stripped(one), w.stripped(two)
			restore(w, one)
			restore(w, two)
			w.Manager(t, testenv.ManagerOptions{})
			for _, grant := range []*v1alpha1.SessionAccess{one, two} {
				w.accessIs(grant, v1alpha1.ReasonGranted)
				_, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool { return len(a.Finalizers) > 0 })
				w.must(err)
			}
			w.must(w.Client.DeleteAllOf(t.Context(), &v1alpha1.SessionAccess{}, client.InNamespace(team)))
			w.untilEnded(first)
			w.untilEnded(second)
		})
	}
}

func TestAFormerMemberOfAGroupLosesItsSession(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(accountID).IAM
	w.must(aws.AddGroup(fixtures.Group{Name: "operators"}))
	w.must(aws.AddUser(fixtures.User{Name: "member", Groups: []string{"operators"}}))
	w.must(aws.AddUser(fixtures.User{Name: "stays", Groups: []string{"operators"}}))
	own, group := access("own", "member", pc01), access("group", "", pc01)
	own.Spec.Principals = append(own.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "stays"})
	group.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
	w.create(account(), own, group)
	w.accessIs(own, v1alpha1.ReasonGranted)
	w.accessIs(group, v1alpha1.ReasonGranted)
	left, kept := w.open(user("member"), pc01), w.open(user("stays"), pc01)
	w.must(aws.Leave("member", "operators"))
	w.must(w.Client.Delete(t.Context(), own))
	w.untilEnded(left)
	w.accessIs(own, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, own)
	w.must(testenv.WaitGone(t.Context(), w.Client, own))
	w.openStill(kept)
}
