package principal_test

import (
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// versionsWith counts the versions of the only policy whose documents name a node.
func (w world) versionsWith(node string) int {
	w.T.Helper()
	n := 0
	for _, p := range w.OwnedPolicies() {
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
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01, scenario.PC02}
	})
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, true, false, false)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01} })
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.ExpectAccess(true, false, false, false)
	return grant
}

func TestOldVersionsThatHoldRevokedAccessAreDeleted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	narrowed(w)
	w.Eventually(func() bool { return w.versionsWith(scenario.PC02) == 0 })
	// v1 allows nothing more than v3 does, and stays.
	if n := len(w.OwnedPolicies()[0].Versions); n != 2 {
		t.Errorf("the policy has %d versions, want 2", n)
	}
}

func TestANarrowingWaitsForNoDeletionOfAVersion(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.ServerError, Action: "iam:DeletePolicyVersion"})
	w.Must(err)
	grant := narrowed(w)
	w.Advance(scenario.Window, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if w.versionsWith(scenario.PC02) == 0 {
		t.Fatal("the version was deleted although that fails")
	}
	w.Emulator.RemoveFault(fault)
	w.Eventually(func() bool { return w.versionsWith(scenario.PC02) == 0 })
}

func TestOldVersionsAreFoundAgainAfterARestart(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:DeletePolicyVersion"})
	w.Must(err)
	grant := narrowed(w)
	w.Advance(scenario.Window, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(m.Stop())
	w.Emulator.RemoveFault(fault)
	if w.versionsWith(scenario.PC02) == 0 {
		t.Fatal("the version was deleted although that is refused")
	}
	w.Manager(t, testenv.ManagerOptions{})
	w.Eventually(func() bool { return w.versionsWith(scenario.PC02) == 0 })
	w.ExpectAccess(true, false, false, false)
}

// The policy of a permission set that references it cannot be deleted. What remains of
// it holds nothing that was revoked, in no version.
func TestTheEmptiedPolicyOfAPermissionSetHasNoOldVersions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("set", "", scenario.PC01)
	grant.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalPermissionSet, Name: "Ops"}}
	w.Create(scenario.Account(), grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(w.Emulator.Account(scenario.AccountID).IAM.AddRole(fixtures.Role{
		Name: "AWSReservedSSO_Ops_0123456789abcdef", Grants: fixtures.Grants{Attached: []string{got.Status.Principals[0].PolicyARNs[0]}},
		Trust: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + scenario.AccountID + `"},"Action":"sts:AssumeRole"}]}`),
	}))
	w.Advance(scenario.Window) // A foreign attachment counts past the window.
	w.AwaitResyncs(2)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Eventually(func() bool { return w.versionsWith(scenario.PC01) == 0 })
	if n := len(w.OwnedPolicies()); n != 1 {
		t.Errorf("%d policies are left, want the one that the permission set references", n)
	}
}
