package controllers_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The second account, in which the operator assumes a role.
const otherID = "111122223333"

// twoAccounts is the first scenario with a second account beside it.
func twoAccounts() *fixtures.Fixture {
	f := fixtures.S1()
	first := f.Accounts[0]
	second := fixtures.Account{ID: otherID, Users: []fixtures.User{{Name: "user01"}}, Policies: first.Policies, Regions: first.Regions}
	for _, role := range first.Roles {
		if role.ID = ""; role.Name == "ssm-access-operator" {
			role.Trust = []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountID + `:user/ssm-access-operator"},"Action":"sts:AssumeRole"}]}`)
		}
		second.Roles = append(second.Roles, role)
	}
	f.Accounts = append(f.Accounts, second)
	return f
}

func shard(name string) func(*v1alpha1.AWSAccount) {
	return func(a *v1alpha1.AWSAccount) { a.Labels = map[string]string{"shard": name} }
}

func otherAccount() *v1alpha1.AWSAccount {
	return account(shard("b"), func(a *v1alpha1.AWSAccount) {
		a.Name, a.Spec.AccountID = "other", otherID
		a.Spec.AssumeRole = &v1alpha1.AssumeRole{RoleARN: "arn:aws:iam::" + otherID + ":role/ssm-access-operator"}
	})
}

func TestTwoManagersShareTheAccountsByLabel(t *testing.T) {
	w := world{Env: testenv.New(t, testenv.Options{Cluster: cluster, Fixture: twoAccounts()}), t: t}
	w.must(w.Namespace(t.Context(), team, map[string]string{"team": "a"}))
	first := w.Manager(t, testenv.ManagerOptions{AccountSelector: "shard=a"})
	main, other := account(shard("a")), otherAccount()
	mine, theirs := access("mine", "user01", pc01), access("theirs", "user01", pc01)
	theirs.Spec.AccountRef.Name = other.Name
	// The manager that has verified the later of two accounts has seen the earlier one.
	w.create(other, main)
	w.accountIs(main, v1alpha1.ReasonVerified)
	w.create(mine, theirs)
	w.accessIs(mine, v1alpha1.ReasonGranted)

	// The first manager applies another change, and leaves the objects of others untouched.
	change(w, mine, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01, pc02} })
	w.accessIs(mine, v1alpha1.ReasonGranted)
	w.untouched(other)
	w.untouched(theirs)
	for _, call := range w.Emulator.CallLog(0) {
		if call.AccountID == otherID {
			t.Errorf("account %s was asked for %s by a manager that does not select it", otherID, call.Operation)
		}
	}

	second := w.Manager(t, testenv.ManagerOptions{AccountSelector: "shard=b"})
	w.accessIs(theirs, v1alpha1.ReasonGranted)
	w.must(first.Stop())

	// The label hands the account over, and no access is missing meanwhile.
	seen := w.LastCall()
	change(w, main, shard("b"))
	grant := access("later", "user02", pc02)
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(true, true, false, true)
	for _, call := range w.Emulator.CallLog(seen) {
		if call.Service == "iam" && (call.Operation == "DeletePolicy" || call.Operation == "DetachUserPolicy") {
			t.Errorf("the handover took access away: %s", call.Operation)
		}
	}
	w.must(second.Ready(t.Context()))
}

func TestAnAccountThatIsHandedOverIsLeftAlone(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{AccountSelector: "shard=a"})
	main, one := account(shard("a")), access("one", "user01", pc01)
	w.create(main, one)
	w.accessIs(one, v1alpha1.ReasonGranted)
	change(w, main, shard("b"))
	// A manager for the new label takes the whole of it over, deletions included.
	w.Manager(t, testenv.ManagerOptions{AccountSelector: "shard=b"})
	w.must(w.Client.Delete(t.Context(), one))
	w.accessIs(one, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, one)
	w.must(testenv.WaitGone(t.Context(), w.Client, one))
	w.grid(false, false, false, false)
}

func TestTheOlderOfTwoAccountsWinsWhoeverWorksOnIt(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{AccountSelector: "shard=b"})
	// No manager works on the older one, and still the younger one is not used.
	older, younger := account(shard("a")), account(shard("b"), func(a *v1alpha1.AWSAccount) { a.Name = "younger" })
	w.create(older, younger)
	got := w.accountIs(younger, v1alpha1.ReasonConflict)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "main", accountID)
	w.untouched(older)
}

// untouched checks that no manager has put anything on an object.
func (w world) untouched(obj client.Object) {
	w.t.Helper()
	w.must(w.Client.Get(w.t.Context(), keyOf(obj), obj))
	if len(obj.GetFinalizers()) > 0 {
		w.t.Errorf("%s has the finalizers %v", obj.GetName(), obj.GetFinalizers())
	}
	for _, field := range obj.GetManagedFields() {
		if field.Subresource == "status" {
			w.t.Errorf("the status of %s was written by %s", obj.GetName(), field.Manager)
		}
	}
}
