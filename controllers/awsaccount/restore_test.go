package awsaccount_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// What etcd held: the same UID, and the status of then.
func TestAnOlderStatusOfAnAWSAccountChangesNothing(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(), scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main)
	old := w.AwaitAccount(main, v1alpha1.ReasonVerified)
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(m.Stop())
	before := w.IAMWrites()
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(main), main))
	w.RestoreStatus(main, old)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	seen := w.LastCall()
	w.AwaitCall(seen, "GetAccountAuthorizationDetails")
	w.AwaitCall(w.LastCall(), "GetAccountAuthorizationDetails") // The resync before is over.
	w.AwaitAccount(main, v1alpha1.ReasonVerified)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if n := w.IAMWrites() - before; n != 0 {
		t.Errorf("IAM was written %d times, and nothing was to change", n)
	}
	w.ExpectAccess(true, false, false, false)
}

func TestARestoredAccountWaitsAnHourForItsSessionAccessesAndNotForEver(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	orphans(w, 3)
	main := scenario.Account()
	w.Create(main)
	w.AwaitAccountCondition(main, v1alpha1.ConditionRestored)
	seen := w.LastCall()
	w.AwaitCall(seen, "GetAccountAuthorizationDetails")
	w.AwaitCall(w.LastCall(), "GetAccountAuthorizationDetails") // The resync before is over.
	if n := len(w.OwnedPolicies()); n != 3 {
		t.Fatalf("%d of 3 policies are left", n)
	}
	w.Advance(accounts.RestoreWindow)
	w.Eventually(func() bool { return len(w.OwnedPolicies()) == 0 })
	_, err := testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionRestored).Status == ""
	})
	w.Must(err)
}

func TestOfTwoAccountsNeitherIsUsedAfterARestoreThatSaysNothing(t *testing.T) {
	for _, order := range [][]string{{"main", "another"}, {"another", "main"}} {
		t.Run(order[0]+" first", func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
			w.Create(scenario.Account(), grant)
			w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			w.Must(m.Stop())
			w.LoseObjects(grant, scenario.Account())
			w.Manager(t, testenv.ManagerOptions{})
			var all []*v1alpha1.AWSAccount
			for i, name := range order {
				all = append(all, scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name = name }))
				w.Create(all[i])
				if i == 0 {
					w.AwaitAccountCondition(all[i], v1alpha1.ConditionRestored)
				}
			}
			for _, a := range all {
				w.AwaitAccount(a, v1alpha1.ReasonConflict)
			}
			w.ExpectAccess(true, false, false, false)
			w.Must(w.Client.Delete(t.Context(), scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name = "another" })))
			w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
		})
	}
}

func TestOfTwoAccountsTheOneThatWasInUseIsAfterARestoreWithStatus(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		t.Run([]string{"main", "another"}[order[0]]+" first", func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			grant, main := scenario.Access("user01-pc01", "user01", scenario.PC01), scenario.Account()
			another := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name = "another" })
			w.Create(main, grant)
			w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			w.Create(another)
			w.AwaitAccount(another, v1alpha1.ReasonConflict)
			w.Must(m.Stop())
			saved := w.LoseObjects(main, another, grant)
			back := make([]*v1alpha1.AWSAccount, 2)
			for _, i := range order {
				back[i] = scenario.Restore[*v1alpha1.AWSAccount](w.World, saved[i], true)
			}
			w.Manager(t, testenv.ManagerOptions{})
			grant = scenario.Restore[*v1alpha1.SessionAccess](w.World, saved[2], false)
			w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			w.AwaitAccount(back[0], v1alpha1.ReasonVerified)
			w.AwaitAccount(back[1], v1alpha1.ReasonConflict)
		})
	}
}
