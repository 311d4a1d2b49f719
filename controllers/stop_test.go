package controllers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv"
)

// stopLimit is how long a graceful stop may take.
const stopLimit = 10 * time.Second

func TestAStopInTheMiddleLeavesNothingHalfMade(t *testing.T) {
	const granted, revoked = 200, 50
	f := fixtures.S1()
	for i := range granted + revoked {
		f.Accounts[0].Users = append(f.Accounts[0].Users, fixtures.User{Name: fmt.Sprintf("u%03d", i)})
	}
	w := world{Env: testenv.New(t, testenv.Options{Cluster: cluster, Fixture: f}), t: t}
	w.must(w.Namespace(t.Context(), team, map[string]string{"team": "a"}))
	first := w.Manager(t, testenv.ManagerOptions{})
	w.create(account())
	old := make([]*v1alpha1.SessionAccess, revoked)
	for i := range old {
		old[i] = access(fmt.Sprintf("old-%03d", i), fmt.Sprintf("u%03d", granted+i), pc01)
		old[i].Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
		w.create(old[i])
	}
	w.must(testenv.WaitCount(t.Context(), w.Client, &v1alpha1.SessionAccess{}, revoked, isGranted))

	seen := w.LastCall()
	for i := range granted {
		w.create(access(fmt.Sprintf("new-%03d", i), fmt.Sprintf("u%03d", i), pc02))
	}
	for _, one := range old {
		w.must(w.Client.Delete(t.Context(), one))
	}
	// Some of it is under way, and much of it is not.
	for range 20 {
		call, err := w.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Write })
		w.must(err)
		seen = call.N
	}
	began := time.Now()
	w.must(first.Stop())
	if took := time.Since(began); took > stopLimit {
		t.Errorf("the stop took %s", took)
	}

	w.Manager(t, testenv.ManagerOptions{})
	w.must(testenv.WaitCount(t.Context(), w.Client, &v1alpha1.SessionAccess{}, granted, isGranted))
	for _, one := range old {
		w.must(testenv.WaitGone(t.Context(), w.Client, one))
	}
	w.holdsExactly(granted, revoked)
}

// holdsExactly checks that the first users may open sessions on PC02, the others
// nowhere, and that no policy is left over.
func (w world) holdsExactly(granted, revoked int) {
	w.t.Helper()
	for i := range granted + revoked {
		name := fmt.Sprintf("u%03d", i)
		if w.may(name, pc02) != (i < granted) || w.may(name, pc01) {
			w.t.Errorf("%s may open what is not declared, or may not what is", name)
		}
	}
	if got := len(w.ourPolicies()); got != granted {
		w.t.Errorf("there are %d policies of ours, want %d", got, granted)
	}
}

func isGranted(a *v1alpha1.SessionAccess) bool {
	return condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonGranted
}
