package controllers_test

import (
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// versionsWith counts the versions of the only policy whose documents name a node.
func (w world) versionsWith(node string) int {
	w.t.Helper()
	n := 0
	for _, p := range w.ourPolicies() {
		for _, v := range p.Versions {
			if strings.Contains(v.Text, node) {
				n++
			}
		}
	}
	return n
}

// narrowed grants both nodes in two steps and takes the second one away again.
func narrowed(w world) *v1alpha1.SessionAccess {
	grant := access("g", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01, pc02} })
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(true, true, false, false)
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01} })
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.grid(true, false, false, false)
	return grant
}

func TestOldVersionsThatHoldRevokedAccessAreDeleted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	narrowed(w)
	w.until(func() bool { return w.versionsWith(pc02) == 0 })
	// v1 allows nothing more than v3 does, and stays.
	if n := len(w.ourPolicies()[0].Versions); n != 2 {
		t.Errorf("the policy has %d versions, want 2", n)
	}
}

func TestANarrowingWaitsForNoDeletionOfAVersion(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.ServerError, Action: "iam:DeletePolicyVersion"})
	w.must(err)
	grant := narrowed(w)
	w.advance(testWindow, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	if w.versionsWith(pc02) == 0 {
		t.Fatal("the version was deleted although that fails")
	}
	w.Emulator.RemoveFault(fault)
	w.until(func() bool { return w.versionsWith(pc02) == 0 })
}

func TestOldVersionsAreFoundAgainAfterARestart(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:DeletePolicyVersion"})
	w.must(err)
	grant := narrowed(w)
	w.advance(testWindow, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(m.Stop())
	w.Emulator.RemoveFault(fault)
	if w.versionsWith(pc02) == 0 {
		t.Fatal("the version was deleted although that is refused")
	}
	w.Manager(t, testenv.ManagerOptions{})
	w.until(func() bool { return w.versionsWith(pc02) == 0 })
	w.grid(true, false, false, false)
}

// The policy of a permission set that references it cannot be deleted. What remains of
// it holds nothing that was revoked, in no version.
func TestTheEmptiedPolicyOfAPermissionSetHasNoOldVersions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("set", "", pc01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalPermissionSet, Name: "Ops"}}
	w.create(account(), grant)
	got := w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(w.Emulator.Account(accountID).IAM.AddRole(fixtures.Role{
		Name: "AWSReservedSSO_Ops_0123456789abcdef", Grants: fixtures.Grants{Attached: []string{got.Status.Principals[0].PolicyARNs[0]}},
		Trust: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + accountID + `"},"Action":"sts:AssumeRole"}]}`),
	}))
	w.advance(testWindow) // A foreign attachment counts past the window.
	w.resyncs(2)
	w.must(w.Client.Delete(t.Context(), grant))
	w.until(func() bool { return w.versionsWith(pc01) == 0 })
	if n := len(w.ourPolicies()); n != 1 {
		t.Errorf("%d policies are left, want the one that the permission set references", n)
	}
}
