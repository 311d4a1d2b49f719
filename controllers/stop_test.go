package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
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
	w.neverMore(granted, revoked)

	w.Manager(t, testenv.ManagerOptions{})
	w.must(testenv.WaitCount(t.Context(), w.Client, &v1alpha1.SessionAccess{}, granted, isGranted))
	for _, one := range old {
		w.must(testenv.WaitGone(t.Context(), w.Client, one))
	}
	w.holdsExactly(granted, revoked)
}

// neverMore checks that each user has what was declared before the stop or what is
// declared after it, and nothing else: another manager has not been there yet.
func (w world) neverMore(granted, revoked int) {
	w.t.Helper()
	for i := range granted + revoked {
		name, other := fmt.Sprintf("u%03d", i), pc01
		if i >= granted {
			other = pc02
		}
		if w.may(name, other) {
			w.t.Errorf("%s may open sessions on %s, which was never declared", name, other)
		}
	}
	w.brokenOffBetweenWrites()
}

// brokenOffBetweenWrites checks what a manager may leave behind at a stop: a policy
// with one version that is attached to its own user, or not attached.
func (w world) brokenOffBetweenWrites() {
	w.t.Helper()
	state := w.Emulator.Account(accountID).IAM.Latest()
	for _, p := range w.ourPolicies() {
		holders := state.HoldersOf(p.ARN)
		theirs := len(holders) == 1 && strings.Contains(p.Name, "-u-"+strings.TrimPrefix(holders[0], user(""))+"-")
		if len(holders) > 0 && !theirs || len(p.Versions) != 1 {
			w.t.Errorf("policy %s of %d versions is held by %v", p.Name, len(p.Versions), holders)
		}
	}
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
