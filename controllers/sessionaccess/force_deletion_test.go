package sessionaccess_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// outage is longer than AWS must be out of reach before a deletion is forced.
const outage = 11 * time.Minute

// lose takes the operator's role away; the function that it returns gives it back.
func (w world) lose() (restore func()) {
	w.T.Helper()
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "*"})
	w.Must(err)
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonCredentialsInvalid)
	return func() { w.Emulator.RemoveFault(id) }
}

// forceDelete deletes an object and requests that its deletion is forced.
func (w world) forceDelete(grant *v1alpha1.SessionAccess) {
	w.T.Helper()
	w.Must(w.Client.Delete(w.T.Context(), grant))
	w.annotate(grant)
}

// annotate requests that the deletion of an object is forced, and so triggers a reconcile.
func (w world) annotate(grant *v1alpha1.SessionAccess) {
	w.T.Helper()
	w.Annotate(grant, map[string]string{v1alpha1.AnnotationForceDelete: "true"})
}

// says waits until the message of Ready holds texts, which it may get one after the other.
func (w world) says(grant *v1alpha1.SessionAccess, texts ...string) {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		message := scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Message
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(message, text) })
	})
	w.Must(err)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, texts...)
}

func TestAForcedDeletionIsAPendingRevocationUntilAWSIsBack(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(scenario.AllowForceDeletion), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	restore := w.lose()
	w.forceDelete(grant)
	w.says(grant, "Its deletion is forced at", scenario.AccountID)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	pending := w.AwaitPendingRevocations(1).Status.PendingRevocations[0]
	if pending.Namespace != scenario.Team || pending.Name != grant.Name || len(pending.Grants) != 1 {
		t.Errorf("the pending revocation is %+v", pending)
	}
	w.ExpectAccess(true, false, false, false)
	w.ExpectSessionsOpen(session)

	w.Must(m.Stop()) // A restart keeps the pending revocations.
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	restore()
	w.AwaitSessionEnd(session)
	w.ExpectAccess(false, false, false, false)
	w.Advance(scenario.Window)
	got := w.AwaitPendingRevocations(0)
	if c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionOrphanCleanupBlocked); c.Status == "True" {
		t.Errorf("a pending revocation was taken for an orphan: %s", c.Message)
	}
	if left := w.OwnedPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left", len(left))
	}
}

func TestADeletionIsForcedOnlyWhereTheAccountAllowsIt(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	restore := w.lose()
	w.forceDelete(grant)
	w.says(grant, "spec.forceDeletion: Allowed", "main")
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.AwaitPendingRevocations(0)
	restore()
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.ExpectAccess(false, false, false, false)
	w.AwaitPendingRevocations(0)
}

func TestADeletionIsNotForcedWhileTheAccountIsInReach(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(scenario.AllowForceDeletion), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:Detach*"})
	w.Must(err)
	w.forceDelete(grant)
	w.says(grant, "iam:DetachUserPolicy", "is in reach")
}

func TestAnAccountThatOwesStaysUntilItHasPaid(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(scenario.Account(scenario.AllowForceDeletion), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	restore := w.lose()
	w.forceDelete(grant)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.Must(w.Client.Delete(t.Context(), scenario.Account()))
	got, err := testenv.WaitFor(t.Context(), w.Client, scenario.Account(), func(a *v1alpha1.AWSAccount) bool {
		return strings.Contains(scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Message, "status.pendingRevocations")
	})
	w.Must(err)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "team-a/user01-pc01")
	restore()
	w.Must(testenv.WaitGone(t.Context(), w.Client, scenario.Account()))
	w.ExpectAccess(false, false, false, false)
}

func TestWhatIsGrantedAgainIsNotRevokedWithWhatIsPending(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-both", "user01", scenario.PC01, scenario.PC02)
	w.Create(scenario.Account(scenario.AllowForceDeletion), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	restore := w.lose()
	w.forceDelete(grant)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	again := scenario.Access("again", "user01", scenario.PC01)
	w.Create(again)
	restore()
	w.AwaitAccess(again, v1alpha1.ReasonGranted)
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC02) })
	w.Advance(scenario.Window)
	w.AwaitPendingRevocations(0)
	w.ExpectAccess(true, false, false, false)
	w.ExpectSessionsOpen(session)
}

func TestManyPoliciesOfPendingRevocationsDoNotBlockTheCleanupOfOrphans(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("many", "", scenario.PC01)
	grant.Spec.Principals = nil
	for i := range 12 {
		grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalPermissionSet, Name: fmt.Sprint("Set", i)})
	}
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(scenario.Account(scenario.AllowForceDeletion), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	restore := w.lose()
	w.forceDelete(grant)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	restore()
	got := w.AwaitPendingRevocations(0)
	if c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionOrphanCleanupBlocked); c.Status == "True" {
		t.Errorf("pending revocations were taken for orphans: %s", c.Message)
	}
	if left := w.OwnedPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left", len(left))
	}
}

// As of a deletion, what was declared last about open sessions counts.
func TestAForcedDeletionEndsSessionsWhereThatWasDeclaredLast(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(scenario.Account(scenario.AllowForceDeletion), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	restore := w.lose()
	w.Must(m.Stop())
	// The operator does not see the object between the two changes.
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.OnRevoke = v1alpha1.RevokeTerminateSessions })
	w.forceDelete(grant)
	w.Emulator.Advance(outage)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.AwaitPendingRevocations(1)
	restore()
	w.AwaitSessionEnd(session)
}

// The guardrails of other namespaces do not decide what becomes of open sessions.
func TestAForcedDeletionLeavesSessionsWhereItsOwnNamespaceMay(t *testing.T) {
	for name, c := range map[string]struct {
		bound string
		left  bool
	}{"another namespace": {"b", true}, "its own": {"a", false}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
			grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
			w.Create(scenario.Account(scenario.AllowForceDeletion), grant)
			w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
			restore := w.lose()
			w.forceDelete(grant)
			w.Emulator.Advance(outage)
			w.annotate(grant)
			w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
			w.AwaitPendingRevocations(1)
			scenario.Change(w.World, scenario.Account(), func(a *v1alpha1.AWSAccount) {
				a.Spec.Guardrails = []v1alpha1.Guardrail{{
					Name: "end", NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": c.bound}}, ForbidLeaveSessions: true,
				}}
			})
			restore()
			if c.left {
				w.AwaitPendingRevocations(0)
				w.ExpectSessionsOpen(session)
			} else {
				w.AwaitSessionEnd(session)
			}
			w.ExpectAccess(false, false, false, false)
		})
	}
}
