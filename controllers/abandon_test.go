package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// outage is longer than AWS must be out of reach before anything is abandoned.
const outage = 11 * time.Minute

func mayAbandon(a *v1alpha1.AWSAccount) { a.Spec.AllowAbandon = true }

// lose takes the operator's role away; the function that it returns gives it back.
func (w world) lose() (restore func()) {
	w.t.Helper()
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "*"})
	w.must(err)
	w.accountIs(account(), v1alpha1.ReasonCredentialsInvalid)
	return func() { w.Emulator.RemoveFault(id) }
}

// abandon deletes an object and asks to let it go without AWS.
func (w world) abandon(grant *v1alpha1.SessionAccess) {
	w.t.Helper()
	w.must(w.Client.Delete(w.t.Context(), grant))
	w.annotate(grant)
}

// annotate requests that an object be abandoned, and so triggers a reconcile.
func (w world) annotate(grant *v1alpha1.SessionAccess) {
	w.t.Helper()
	w.annotations(grant, map[string]string{v1alpha1.AnnotationAbandon: "true"})
}

// says waits until the message of Ready holds texts, which it may get one after the other.
func (w world) says(grant *v1alpha1.SessionAccess, texts ...string) {
	w.t.Helper()
	got, err := testenv.WaitFor(w.t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		message := condition(a.Status.Conditions, v1alpha1.ConditionReady).Message
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(message, text) })
	})
	w.must(err)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, texts...)
}

// owes waits until an account has n pending revocations.
func (w world) owes(n int) *v1alpha1.AWSAccount {
	w.t.Helper()
	got, err := testenv.WaitFor(w.t.Context(), w.Client, account(), func(a *v1alpha1.AWSAccount) bool { return len(a.Status.Owed) == n })
	w.must(err)
	return got
}

func TestAnAbandonedAccessIsOwedAndTakenAwayWhenAWSIsBack(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-pc01", "user01", pc01)
	w.create(account(mayAbandon), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	restore := w.lose()
	w.abandon(grant)
	w.says(grant, "It is abandoned at", accountID)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	owed := w.owes(1).Status.Owed[0]
	if owed.Namespace != team || owed.Name != grant.Name || len(owed.Grants) != 1 {
		t.Errorf("the account owes %+v", owed)
	}
	w.grid(true, false, false, false)
	w.openStill(session)

	w.must(m.Stop()) // A restart keeps the pending revocations.
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	restore()
	w.untilEnded(session)
	w.grid(false, false, false, false)
	w.advance(testWindow)
	got := w.owes(0)
	if c := condition(got.Status.Conditions, v1alpha1.ConditionRemovalHeld); c.Status == "True" {
		t.Errorf("what is owed was taken for an orphan: %s", c.Message)
	}
	if left := w.ourPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left", len(left))
	}
}

func TestAnAccessIsAbandonedOnlyWhereTheAccountAllowsIt(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-pc01", "user01", pc01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	restore := w.lose()
	w.abandon(grant)
	w.says(grant, "spec.allowAbandon: true", "main")
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.owes(0)
	restore()
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.grid(false, false, false, false)
	w.owes(0)
}

func TestAnAccessIsNotAbandonedWhileItsAccountIsInReach(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-pc01", "user01", pc01)
	w.create(account(mayAbandon), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:Detach*"})
	w.must(err)
	w.abandon(grant)
	w.says(grant, "iam:DetachUserPolicy", "is in reach")
}

func TestAnAccountThatOwesStaysUntilItHasPaid(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-pc01", "user01", pc01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(account(mayAbandon), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	restore := w.lose()
	w.abandon(grant)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.must(w.Client.Delete(t.Context(), account()))
	got, err := testenv.WaitFor(t.Context(), w.Client, account(), func(a *v1alpha1.AWSAccount) bool {
		return strings.Contains(condition(a.Status.Conditions, v1alpha1.ConditionReady).Message, "status.owed")
	})
	w.must(err)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "team-a/user01-pc01")
	restore()
	w.must(testenv.WaitGone(t.Context(), w.Client, account()))
	w.grid(false, false, false, false)
}

func TestWhatIsGrantedAnewIsNotTakenAwayWithWhatIsOwed(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-both", "user01", pc01, pc02)
	w.create(account(mayAbandon), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	restore := w.lose()
	w.abandon(grant)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	again := access("again", "user01", pc01)
	w.create(again)
	restore()
	w.accessIs(again, v1alpha1.ReasonGranted)
	w.until(func() bool { return !w.may("user01", pc02) })
	w.advance(testWindow)
	w.owes(0)
	w.grid(true, false, false, false)
	w.openStill(session)
}

func TestManyPoliciesThatAreOwedDoNotHoldRemovals(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("many", "", pc01)
	grant.Spec.Principals = nil
	for i := range 12 {
		grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalPermissionSet, Name: fmt.Sprint("Set", i)})
	}
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(account(mayAbandon), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	restore := w.lose()
	w.abandon(grant)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	restore()
	got := w.owes(0)
	if c := condition(got.Status.Conditions, v1alpha1.ConditionRemovalHeld); c.Status == "True" {
		t.Errorf("what is owed was taken for orphans: %s", c.Message)
	}
	if left := w.ourPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left", len(left))
	}
}

// As of a deletion, what was declared last about open sessions counts.
func TestAnAbandonedAccessEndsSessionsWhereThatWasDeclaredLast(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-pc01", "user01", pc01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(account(mayAbandon), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	restore := w.lose()
	w.must(m.Stop())
	// The operator does not see the object between the two changes.
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.OnRevoke = v1alpha1.RevokeTerminateSessions })
	w.abandon(grant)
	w.Emulator.Advance(outage)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.owes(1)
	restore()
	w.untilEnded(session)
}

// The guardrails of other namespaces do not decide what becomes of open sessions.
func TestAnAbandonedAccessLeavesSessionsWhereItsOwnNamespaceMay(t *testing.T) {
	for name, c := range map[string]struct {
		bound string
		left  bool
	}{"another namespace": {"b", true}, "its own": {"a", false}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
			grant := access("user01-pc01", "user01", pc01)
			grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
			w.create(account(mayAbandon), grant)
			w.accessIs(grant, v1alpha1.ReasonGranted)
			session := w.open(user("user01"), pc01)
			restore := w.lose()
			w.abandon(grant)
			w.Emulator.Advance(outage)
			w.annotate(grant)
			w.must(testenv.WaitGone(t.Context(), w.Client, grant))
			w.owes(1)
			change(w, account(), func(a *v1alpha1.AWSAccount) {
				a.Spec.Guardrails = []v1alpha1.Guardrail{{
					Name: "end", NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": c.bound}}, ForbidLeaveSessions: true,
				}}
			})
			restore()
			if c.left {
				w.owes(0)
				w.openStill(session)
			} else {
				w.untilEnded(session)
			}
			w.grid(false, false, false, false)
		})
	}
}
