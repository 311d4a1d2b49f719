package reachability_test

import (
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }

// nodes is a world with a node behind endpoints and one behind a NAT gateway, and
// an access to each.
type nodes struct {
	scenario.World
	account *v1alpha1.AWSAccount
	// access by node.
	access map[string]*v1alpha1.SessionAccess
}

func newNodes(t *testing.T, change ...func(*v1alpha1.AWSAccount)) nodes {
	t.Helper()
	return nodesOf(t, scenario.NewWith(t, testenv.Options{Fixture: scenario.BothStacks()}), testenv.ManagerOptions{}, change...)
}

// nodesOf is the same with a manager of another sort.
func nodesOf(t *testing.T, w scenario.World, o testenv.ManagerOptions, change ...func(*v1alpha1.AWSAccount)) nodes {
	t.Helper()
	t.Cleanup(w.ExpectNoRefusedCall)
	w.Manager(t, o)
	n := nodes{World: w, account: scenario.Account(change...), access: map[string]*v1alpha1.SessionAccess{}}
	w.Emulator.Advance(scenario.ResyncAfter)
	w.Create(n.account)
	for node, name := range map[string]string{fixtures.S7Node: "endpoints", fixtures.S7NATNode: "nat"} {
		a := scenario.Access(name, "user01", node)
		a.Spec.Documents = []v1alpha1.DocumentReference{{Name: scenario.Audited}}
		n.access[node] = a
		w.Create(a)
	}
	return n
}

// breaks brings a cause about and returns what mends it.
func (n nodes) breaks(node string, cause stack.Cause) (repair func()) {
	n.T.Helper()
	undo, err := n.Emulator.Break(scenario.AccountID, scenario.Region, node, cause)
	n.Must(err)
	return func() {
		n.T.Helper()
		n.Must(undo())
	}
}

// resync has the operator read the account again.
func (n nodes) resync() { n.Advance(scenario.ResyncAfter, n.account) }

// reachable waits until something holds of an access and its TargetsReachable.
func (n nodes) reachable(node string, holds func(*v1alpha1.SessionAccess, metav1.Condition) bool) *v1alpha1.SessionAccess {
	n.T.Helper()
	got, err := testenv.WaitFor(n.T.Context(), n.Client, n.access[node], func(a *v1alpha1.SessionAccess) bool {
		return holds(a, scenario.Condition(a.Status.Conditions, v1alpha1.ConditionTargetsReachable))
	})
	n.Must(err)
	return got
}

// connected waits until the access to a node has nothing to complain of.
func (n nodes) connected(node string) *v1alpha1.SessionAccess {
	n.T.Helper()
	return n.reachable(node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool { return c.Status == metav1.ConditionTrue })
}

// allConnected waits until no access has anything to complain of.
func (n nodes) allConnected() {
	n.T.Helper()
	for node := range n.access {
		n.connected(node)
	}
}
