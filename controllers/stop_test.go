package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// stopLimit is how long a graceful stop may take.
const stopLimit = 10 * time.Second

func TestAStopInTheMiddleLeavesNothingHalfMade(t *testing.T) {
	const granted, revoked = 200, 50
	f := fixtures.S1()
	for i := range granted + revoked {
		f.Accounts[0].Users = append(f.Accounts[0].Users, fixtures.User{Name: fmt.Sprintf("u%03d", i)})
	}
	w := world{World: scenario.World{Env: testenv.New(t, testenv.Options{Cluster: scenario.Cluster(t), Fixture: f}), T: t}}
	w.Must(w.Namespace(t.Context(), scenario.Team, map[string]string{"team": "a"}))
	first := w.Manager(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	old := make([]*v1alpha1.SessionAccess, revoked)
	for i := range old {
		old[i] = scenario.Access(fmt.Sprintf("old-%03d", i), fmt.Sprintf("u%03d", granted+i), scenario.PC01)
		old[i].Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
		w.Create(old[i])
	}
	w.Must(testenv.WaitCount(t.Context(), w.Client, &v1alpha1.SessionAccess{}, revoked, isGranted))

	seen := w.LastCall()
	for i := range granted {
		w.Create(scenario.Access(fmt.Sprintf("new-%03d", i), fmt.Sprintf("u%03d", i), scenario.PC02))
	}
	for _, one := range old {
		w.Must(w.Client.Delete(t.Context(), one))
	}
	// Some of it is under way, and much of it is not.
	for range 20 {
		call, err := w.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Write })
		w.Must(err)
		seen = call.N
	}
	began := time.Now()
	w.Must(first.Stop())
	if took := time.Since(began); took > stopLimit {
		t.Errorf("the stop took %s", took)
	}
	w.neverMore(granted, revoked)

	w.Manager(t, testenv.ManagerOptions{})
	w.Must(testenv.WaitCount(t.Context(), w.Client, &v1alpha1.SessionAccess{}, granted, isGranted))
	for _, one := range old {
		w.Must(testenv.WaitGone(t.Context(), w.Client, one))
	}
	w.holdsExactly(granted, revoked)
}

// neverMore checks that each user has what was declared before the stop or what is
// declared after it, and nothing else: another manager has not been there yet.
func (w world) neverMore(granted, revoked int) {
	w.T.Helper()
	for i := range granted + revoked {
		name, other := fmt.Sprintf("u%03d", i), scenario.PC01
		if i >= granted {
			other = scenario.PC02
		}
		if w.MayOpen(name, other) {
			w.T.Errorf("%s may open sessions on %s, which was never declared", name, other)
		}
	}
	w.brokenOffBetweenWrites()
}

// brokenOffBetweenWrites checks what a manager may leave behind at a stop: a policy
// with one version that is attached to its own user, or not attached.
func (w world) brokenOffBetweenWrites() {
	w.T.Helper()
	state := w.Emulator.Account(scenario.AccountID).IAM.Latest()
	for _, p := range w.OwnedPolicies() {
		holders := state.HoldersOf(p.ARN)
		theirs := len(holders) == 1 && strings.Contains(p.Name, "-u-"+strings.TrimPrefix(holders[0], scenario.UserARN(""))+"-")
		if len(holders) > 0 && !theirs || len(p.Versions) != 1 {
			w.T.Errorf("policy %s of %d versions is held by %v", p.Name, len(p.Versions), holders)
		}
	}
}

// holdsExactly checks that the first users may open sessions on PC02, the others
// nowhere, and that no policy is left over.
func (w world) holdsExactly(granted, revoked int) {
	w.T.Helper()
	for i := range granted + revoked {
		name := fmt.Sprintf("u%03d", i)
		if w.MayOpen(name, scenario.PC02) != (i < granted) || w.MayOpen(name, scenario.PC01) {
			w.T.Errorf("%s may open what is not declared, or may not what is", name)
		}
	}
	if got := len(w.OwnedPolicies()); got != granted {
		w.T.Errorf("there are %d policies of this operator, want %d", got, granted)
	}
}

func isGranted(a *v1alpha1.SessionAccess) bool {
	return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonGranted
}
