package controllers_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// manager builds the operator, to be run and killed as a process.
func (w world) manager() string {
	w.T.Helper()
	binary := filepath.Join(w.T.TempDir(), "manager")
	w.Must(testenv.BuildManager(w.T.Context(), binary))
	return binary
}

func (w world) process(binary string, args ...string) *testenv.Process {
	w.T.Helper()
	args = append(args, "--owner-id="+testenv.DefaultOwner, "--aws-rate=1000", "--aws-burst=1000")
	p, err := w.StartProcess(testenv.ProcessOptions{Binary: binary, Args: args})
	w.Must(err)
	return p
}

func TestTheNextLeaderFinishesWhatAKilledOneBegan(t *testing.T) {
	const many, killedAfter = 500, 100
	w := worldWithoutManager(t)
	binary := w.manager()
	election := []string{"--leader-elect", "--leader-election-namespace=" + testenv.LeaseNamespace}
	leader := w.process(binary, election...)
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	w.process(binary, election...)
	all := make([]*v1alpha1.SessionAccess, many)
	for i := range all {
		name := fmt.Sprintf("person%03d", i)
		w.Must(w.Emulator.Account(scenario.AccountID).IAM.AddUser(fixtures.User{Name: name}))
		all[i] = scenario.Access(name, name, scenario.PC01)
		all[i].Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
		w.Create(all[i])
	}
	for _, grant := range all {
		w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	}
	begun := w.LastCall()
	w.Must(w.Client.DeleteAllOf(t.Context(), &v1alpha1.SessionAccess{}, client.InNamespace(scenario.Team)))
	deleted := 0
	_, err := w.WaitCall(t.Context(), begun, func(c calls.Call) bool {
		if c.Operation == "DeletePolicy" {
			deleted++
		}
		return deleted == killedAfter
	})
	w.Must(err)
	leader.Kill()
	for _, grant := range all {
		w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	}
	if left := w.OwnedPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left of %d revocations", len(left), many)
	}
	for _, call := range w.Emulator.CallLog(begun) {
		switch call.Operation {
		case "CreatePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion", "AttachUserPolicy":
			t.Errorf("%s %v grants while everything is being revoked", call.Operation, call.Parameters)
		}
	}
	var events eventsv1.EventList
	w.Must(w.Client.List(t.Context(), &events, client.InNamespace(scenario.Team)))
	told := map[string]int{}
	for i := range events.Items {
		if e := &events.Items[i]; e.Reason == v1alpha1.ReasonSessionsEnded {
			told[string(e.Regarding.UID)]++
			if e.Series != nil {
				told[string(e.Regarding.UID)] += int(e.Series.Count)
			}
		}
	}
	for uid, n := range told {
		if n > 1 {
			t.Errorf("the end of %s is told %d times", uid, n)
		}
	}
	if len(told) == 0 {
		t.Error("no revocation was told of")
	}
}

func TestAKillBetweenDetachAndFinalizerLeavesNoResidue(t *testing.T) {
	w := worldWithoutManager(t)
	process := w.process(w.manager())
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Emulator.SetConsistencyDelay(30 * time.Second)
	seen := w.LastCall()
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Eventually(func() bool {
		return slices.ContainsFunc(w.Emulator.CallLog(seen), func(c calls.Call) bool { return c.Operation == "DetachUserPolicy" && c.Done })
	})
	process.Kill()
	late := w.OpenSession(scenario.UserARN("user01"), scenario.PC01) // IAM still lets it.

	w.Manager(t, testenv.ManagerOptions{})
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.AwaitSessionEnd(late)
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.ExpectAccess(false, false, false, false)
	if left := w.OwnedPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left", len(left))
	}
}

func TestWhatIsDeletedWithoutAManagerWaitsForOne(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(m.Stop())
	w.Must(w.Client.Delete(t.Context(), scenario.Account()))
	w.Must(w.Client.Delete(t.Context(), grant))
	var kept v1alpha1.SessionAccess
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(grant), &kept))
	if kept.Status.Applied == nil || kept.Status.Applied.Granted == nil {
		t.Error("the record of what is granted is lost")
	}
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(scenario.Account()), scenario.Account()))
	w.ExpectAccess(true, false, false, false)
	w.Manager(t, testenv.ManagerOptions{})
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.Must(testenv.WaitGone(t.Context(), w.Client, scenario.Account()))
	w.ExpectAccess(false, false, false, false)
}
