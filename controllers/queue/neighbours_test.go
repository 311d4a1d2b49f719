package queue_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// No account and no tenant delays another. The tests count calls; where they give
// the manager a rate, it is for calls to queue up.

const (
	// nextWrites is how many writes there may be until a revocation's first,
	// itself included.
	nextWrites = 5
)

// crowd is an object of the neighbouring namespace with many principals.
func crowd(name string, kind v1alpha1.PrincipalKind, principals int, node string) *v1alpha1.SessionAccess {
	a := scenario.Access(name, "", node)
	a.Namespace = scenario.OtherTeam
	a.Spec.Principals = nil
	for i := range principals {
		a.Spec.Principals = append(a.Spec.Principals, v1alpha1.Principal{Kind: kind, Name: fmt.Sprintf("%s-%03d", name, i)})
	}
	return a
}

// secondAccount is an account that the operator assumes a role in, with one user
// and one node.
func secondAccount(id string) fixtures.Account {
	return fixtures.Account{
		ID:    id,
		Users: []fixtures.User{{Name: "other"}},
		Roles: []fixtures.Role{{Name: "ssm-access-operator", Trust: json.RawMessage(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + scenario.AccountID + `"},"Action":"sts:AssumeRole"}]}`)}},
		Regions: map[string]fixtures.Region{scenario.Region: {Instances: []fixtures.Instance{{ID: scenario.PC01, Agent: &fixtures.Agent{}}}}},
	}
}

func secondAWSAccount(name, id string) *v1alpha1.AWSAccount {
	return scenario.Account(func(a *v1alpha1.AWSAccount) {
		a.Name, a.Spec.AccountID = name, id
		a.Spec.AssumeRole = &v1alpha1.AssumeRole{RoleARN: "arn:aws:iam::" + id + ":role/ssm-access-operator"}
	})
}

// changesAWS reports whether a call changes something in AWS.
func changesAWS(c calls.Call) bool { return c.Write && c.Service != "sts" }

// position waits for the first matching write, and counts the writes since call number
// n up to it.
func (w world) position(n int, isIt func(calls.Call) bool) int {
	w.T.Helper()
	first, err := w.WaitCall(w.T.Context(), n, func(c calls.Call) bool { return changesAWS(c) && isIt(c) })
	w.Must(err)
	position := 0
	for _, c := range w.Emulator.CallLog(n) {
		if changesAWS(c) && c.N <= first.N {
			position++
		}
	}
	return position
}

// hangs reports whether all calls that a fault struck still wait, and there are some.
func (w world) hangs() bool {
	struck := 0
	for _, c := range w.Emulator.CallLog(0) {
		if c.Fault == "" {
			continue
		}
		if struck++; c.Done {
			return false
		}
	}
	return struck > 0
}

func TestAnAccountThatHangsDelaysNoRevocationOfAnother(t *testing.T) {
	const id, people = "222233334444", 20
	f := fixtures.S1()
	for i := range people {
		f.Accounts[0].Users = append(f.Accounts[0].Users, fixtures.User{Name: fmt.Sprintf("hung-%03d", i)})
	}
	f.Accounts = append(f.Accounts, secondAccount(id))
	w := worldOf(t, testenv.Options{Fixture: f, AllowAll: true})
	w.Manager(t, testenv.ManagerOptions{AttemptTimeout: scenario.Endless})
	other := secondAWSAccount("other", id)
	w.Create(scenario.Account(), other)
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	w.AwaitAccount(other, v1alpha1.ReasonVerified)
	hung := crowd("hung", v1alpha1.PrincipalUser, people, scenario.PC01)
	hung.Namespace = scenario.Team
	healthy := scenario.Access("healthy", "other", scenario.PC01)
	healthy.Spec.AccountRef.Name = "other"
	w.Create(hung, healthy)
	w.AwaitAccess(hung, v1alpha1.ReasonGranted)
	w.AwaitAccess(healthy, v1alpha1.ReasonGranted)
	session, err := w.Emulator.OpenSession("arn:aws:iam::"+id+":user/other", scenario.Region, scenario.PC01, "")
	w.Must(err)

	ids := w.HoldCalls(faults.Fault{Account: scenario.AccountID, Action: "iam:*"}, faults.Fault{Account: scenario.AccountID, Action: "ssm:*"})
	w.Must(w.Client.Delete(t.Context(), hung))
	w.Eventually(w.hangs)
	seen := w.LastCall()
	w.Must(w.Client.Delete(t.Context(), healthy))
	if position := w.position(seen, func(c calls.Call) bool { return c.AccountID == id && c.Service == "iam" }); position > nextWrites {
		t.Errorf("the other account's revocation is write number %d", position)
	}
	_, err = w.WaitCall(t.Context(), seen, func(c calls.Call) bool {
		return c.Operation == "TerminateSession" && c.AccountID == id && c.Parameters["SessionId"] == session
	})
	w.Must(err)
	if !w.hangs() {
		t.Error("a call that hangs returned before the session was ended")
	}
	w.ReleaseCalls(ids)
}

func TestAccountsThatHangKeepNoOtherFromBeingVerifiedAndRead(t *testing.T) {
	hung := []string{"333333333331", "333333333332", "333333333333"}
	const id = "222233334444"
	f := fixtures.S1()
	f.Accounts = append(f.Accounts, secondAccount(id))
	for _, account := range hung {
		f.Accounts = append(f.Accounts, secondAccount(account))
	}
	w := worldOf(t, testenv.Options{Fixture: f, AllowAll: true})
	var ids []string
	for _, account := range hung {
		ids = append(ids, w.HoldCalls(faults.Fault{Account: account})...)
	}
	w.Manager(t, testenv.ManagerOptions{AttemptTimeout: scenario.Endless, ResyncInterval: scenario.ResyncInterval})
	for i, account := range hung {
		w.Create(secondAWSAccount(fmt.Sprintf("hung-%d", i), account))
	}
	w.Eventually(func() bool {
		struck := map[string]bool{}
		for _, c := range w.Emulator.CallLog(0) {
			if c.Fault != "" {
				struck[c.AccountID] = true
			}
		}
		return len(struck) == len(hung)
	})
	other := secondAWSAccount("other", id)
	w.Create(other)
	w.AwaitAccount(other, v1alpha1.ReasonVerified)
	granted := scenario.Access("granted", "other", scenario.PC01)
	granted.Spec.AccountRef.Name = "other"
	w.Create(granted)
	w.AwaitAccess(granted, v1alpha1.ReasonGranted)
	w.AwaitNodesChecked(granted)
	seen := w.LastCall()
	for range 2 { // And it is read again.
		read, err := w.WaitCall(t.Context(), seen, func(c calls.Call) bool {
			return c.Operation == "GetAccountAuthorizationDetails" && c.AccountID == id
		})
		w.Must(err)
		seen = read.N
	}
	if !w.hangs() {
		t.Error("a call that hangs returned")
	}
	w.ReleaseCalls(ids)
}

func TestANeighboursRevocationsDelayNoOtherNamespace(t *testing.T) {
	const objects, each = 2, 60
	w := worldWithoutManager(t)
	w.Must(w.Namespace(t.Context(), scenario.OtherTeam, map[string]string{"team": "a"}))
	m := w.Manager(t, testenv.ManagerOptions{})
	mine := scenario.Access("mine", "user01", scenario.PC01)
	w.Create(scenario.Account(), mine)
	w.AwaitAccess(mine, v1alpha1.ReasonGranted)
	var neighbours []*v1alpha1.SessionAccess
	for i := range objects {
		a := crowd(fmt.Sprintf("crowd%d", i), v1alpha1.PrincipalPermissionSet, each, scenario.PC02)
		neighbours = append(neighbours, a)
		w.Create(a)
	}
	for _, a := range neighbours {
		w.AwaitAccess(a, v1alpha1.ReasonGranted)
	}
	w.Must(m.Stop())
	w.Manager(t, testenv.ManagerOptions{Rate: 2, Burst: 2})
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	seen := w.LastCall()
	// Each of the neighbour's principals loses PC02 and gains PC01.
	for _, a := range neighbours {
		scenario.Change(w.World, a, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01} })
	}
	narrowed := func() int {
		n := 0
		for _, c := range w.Emulator.CallLog(seen) {
			if changesAWS(c) {
				n++
			}
		}
		return n
	}
	w.Eventually(func() bool { return narrowed() >= 10 }) // The burst is spent.
	now := w.LastCall()
	w.Must(w.Client.Delete(t.Context(), mine))
	if position := w.position(now, func(c calls.Call) bool { return c.Parameters["UserName"] == "user01" }); position > nextWrites {
		t.Errorf("my revocation is write number %d", position)
	}
	if n := narrowed(); n > objects*each/2 {
		t.Errorf("the neighbour had made %d writes: nothing of it was waiting any more", n)
	}
}

func TestNamesThatDoNotExistKeepNoResyncAway(t *testing.T) {
	const objects, each = 2, 100
	w := worldWithoutManager(t)
	w.Must(w.Namespace(t.Context(), scenario.OtherTeam, map[string]string{"team": "a"}))
	m := w.Manager(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	for i := range objects {
		w.Create(crowd(fmt.Sprintf("invented%d", i), v1alpha1.PrincipalUser, each, scenario.PC02))
	}
	w.Must(testenv.WaitCount(t.Context(), w.Client, &v1alpha1.SessionAccess{}, objects, func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonPrincipalNotFound
	}, client.InNamespace(scenario.OtherTeam)))
	w.Must(m.Stop())
	seen := w.LastCall()
	w.Manager(t, testenv.ManagerOptions{Rate: 10, Burst: 20, ResyncInterval: scenario.ResyncInterval})
	for range 3 {
		read, err := w.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" })
		w.Must(err)
		if n := lookups(w.Emulator.CallLog(seen)); n > 0 {
			t.Errorf("%d names were looked up before a resync", n)
		}
		seen = read.N
	}
}

func TestANameThatIsDeclaredAfterTheBulkReadIsLookedUp(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	seen := w.LastCall()
	absent := scenario.Access("absent", "nobody01", scenario.PC01)
	w.Create(absent)
	w.AwaitAccess(absent, v1alpha1.ReasonPrincipalNotFound)
	if n := lookups(w.Emulator.CallLog(seen)); n != 1 {
		t.Errorf("it was looked up %d times", n)
	}
}

func lookups(log []calls.Call) int {
	n := 0
	for _, c := range log {
		if c.Operation == "GetUser" && strings.Contains(c.Caller, "operator") {
			n++
		}
	}
	return n
}
