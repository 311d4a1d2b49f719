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
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// manager builds the operator, to be run and killed as a process.
func (w world) manager() string {
	w.t.Helper()
	binary := filepath.Join(w.t.TempDir(), "manager")
	w.must(testenv.BuildManager(w.t.Context(), binary))
	return binary
}

func (w world) process(binary string, args ...string) *testenv.Process {
	w.t.Helper()
	args = append(args, "--owner-id="+testenv.DefaultOwner, "--aws-rate=1000", "--aws-burst=1000")
	p, err := w.StartProcess(testenv.ProcessOptions{Binary: binary, Args: args})
	w.must(err)
	return p
}

func TestTheNextLeaderFinishesWhatAKilledOneBegan(t *testing.T) {
	const many, killedAfter = 500, 100
	w := worldWithoutManager(t)
	binary := w.manager()
	election := []string{"--leader-elect", "--leader-election-namespace=" + testenv.LeaseNamespace}
	leader := w.process(binary, election...)
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	w.process(binary, election...)
	all := make([]*v1alpha1.SessionAccess, many)
	for i := range all {
		name := fmt.Sprintf("person%03d", i)
		w.must(w.Emulator.Account(accountID).IAM.AddUser(fixtures.User{Name: name}))
		all[i] = access(name, name, pc01)
		all[i].Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
		w.create(all[i])
	}
	for _, grant := range all {
		w.accessIs(grant, v1alpha1.ReasonGranted)
	}
	begun := w.LastCall()
	w.must(w.Client.DeleteAllOf(t.Context(), &v1alpha1.SessionAccess{}, client.InNamespace(team)))
	deleted := 0
	_, err := w.WaitCall(t.Context(), begun, func(c calls.Call) bool {
		if c.Operation == "DeletePolicy" {
			deleted++
		}
		return deleted == killedAfter
	})
	w.must(err)
	leader.Kill()
	for _, grant := range all {
		w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	}
	if left := w.ourPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left of %d revocations", len(left), many)
	}
	for _, call := range w.Emulator.CallLog(begun) {
		switch call.Operation {
		case "CreatePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion", "AttachUserPolicy":
			t.Errorf("%s %v grants while everything is being revoked", call.Operation, call.Parameters)
		}
	}
	var events eventsv1.EventList
	w.must(w.Client.List(t.Context(), &events, client.InNamespace(team)))
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
	grant := access("user01-pc01", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.Emulator.SetConsistencyDelay(30 * time.Second)
	seen := w.LastCall()
	w.must(w.Client.Delete(t.Context(), grant))
	w.until(func() bool {
		return slices.ContainsFunc(w.Emulator.CallLog(seen), func(c calls.Call) bool { return c.Operation == "DetachUserPolicy" && c.Done })
	})
	process.Kill()
	late := w.open(user("user01"), pc01) // IAM still lets it.

	w.Manager(t, testenv.ManagerOptions{})
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.untilEnded(late)
	w.advance(testWindow, grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.grid(false, false, false, false)
	if left := w.ourPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left", len(left))
	}
}

func TestWhatIsDeletedWithoutAManagerWaitsForOne(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant := access("user01-pc01", "user01", pc01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(m.Stop())
	w.must(w.Client.Delete(t.Context(), account()))
	w.must(w.Client.Delete(t.Context(), grant))
	var kept v1alpha1.SessionAccess
	w.must(w.Client.Get(t.Context(), keyOf(grant), &kept))
	if kept.Status.Applied == nil || kept.Status.Applied.Granted == nil {
		t.Error("the record of what is granted is lost")
	}
	w.must(w.Client.Get(t.Context(), keyOf(account()), account()))
	w.grid(true, false, false, false)
	w.Manager(t, testenv.ManagerOptions{})
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.must(testenv.WaitGone(t.Context(), w.Client, account()))
	w.grid(false, false, false, false)
}
