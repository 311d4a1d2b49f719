package accounts_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestTwoManagersShareTheAccountsByLabel(t *testing.T) {
	w := world{World: scenario.World{Env: testenv.New(t, testenv.Options{Cluster: scenario.Cluster(t), Fixture: scenario.TwoAccounts()}), T: t}}
	w.Must(w.Namespace(t.Context(), scenario.Team, map[string]string{"team": "a"}))
	first := w.Manager(t, testenv.ManagerOptions{AccountSelector: "shard=a"})
	main, other := scenario.Account(scenario.Shard("a")), scenario.OtherAccount(scenario.Shard("b"))
	mine, theirs := scenario.Access("mine", "user01", scenario.PC01), scenario.Access("theirs", "user01", scenario.PC01)
	theirs.Spec.AccountRef.Name = other.Name
	// The manager that has verified the later of two accounts has seen the earlier one.
	w.Create(other, main)
	w.AwaitAccount(main, v1alpha1.ReasonVerified)
	w.Create(mine, theirs)
	w.AwaitAccess(mine, v1alpha1.ReasonGranted)

	// The first manager applies another change, and leaves the objects of others untouched.
	scenario.Change(w.World, mine, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01, scenario.PC02}
	})
	w.AwaitAccess(mine, v1alpha1.ReasonGranted)
	w.untouched(other)
	w.untouched(theirs)
	for _, call := range w.Emulator.CallLog(0) {
		if call.AccountID == scenario.OtherAccountID {
			t.Errorf("account %s was asked for %s by a manager that does not select it", scenario.OtherAccountID, call.Operation)
		}
	}

	second := w.Manager(t, testenv.ManagerOptions{AccountSelector: "shard=b"})
	w.AwaitAccess(theirs, v1alpha1.ReasonGranted)
	w.Must(first.Stop())

	// The label hands the account over, and no access is missing meanwhile.
	seen := w.LastCall()
	scenario.Change(w.World, main, scenario.Shard("b"))
	grant := scenario.Access("later", "user02", scenario.PC02)
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, true, false, true)
	for _, call := range w.Emulator.CallLog(seen) {
		if call.Service == "iam" && (call.Operation == "DeletePolicy" || call.Operation == "DetachUserPolicy") {
			t.Errorf("the handover took access away: %s", call.Operation)
		}
	}
	w.Must(second.Ready(t.Context()))
}

func TestAnAccountThatIsHandedOverIsLeftAlone(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{AccountSelector: "shard=a"})
	main, one := scenario.Account(scenario.Shard("a")), scenario.Access("one", "user01", scenario.PC01)
	w.Create(main, one)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	scenario.Change(w.World, main, scenario.Shard("b"))
	// A manager for the new label takes the whole of it over, deletions included.
	w.Manager(t, testenv.ManagerOptions{AccountSelector: "shard=b"})
	w.Must(w.Client.Delete(t.Context(), one))
	w.AwaitAccess(one, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, one)
	w.Must(testenv.WaitGone(t.Context(), w.Client, one))
	w.ExpectAccess(false, false, false, false)
}

func TestTheOlderOfTwoAccountsWinsWhoeverWorksOnIt(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{AccountSelector: "shard=b"})
	// No manager works on the older one, and still the younger one is not used.
	older, younger := scenario.Account(scenario.Shard("a")), scenario.Account(scenario.Shard("b"), func(a *v1alpha1.AWSAccount) { a.Name = "younger" })
	w.Create(older, younger)
	got := w.AwaitAccount(younger, v1alpha1.ReasonConflict)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "main", scenario.AccountID)
	w.untouched(older)
}

// untouched checks that no manager has put anything on an object.
func (w world) untouched(obj client.Object) {
	w.T.Helper()
	w.Must(w.Client.Get(w.T.Context(), scenario.KeyOf(obj), obj))
	if len(obj.GetFinalizers()) > 0 {
		w.T.Errorf("%s has the finalizers %v", obj.GetName(), obj.GetFinalizers())
	}
	for _, field := range obj.GetManagedFields() {
		if field.Subresource == "status" {
			w.T.Errorf("the status of %s was written by %s", obj.GetName(), field.Manager)
		}
	}
}
