package reachability_test

import (
	"testing"

	"k8s.io/client-go/rest"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// What a node was found to be goes to a status twice before the cache shows the
// first time. Taking the cache's word, the second would seem to be stored.
func TestAStatusIsTrueWhereTheCacheIsBehindIt(t *testing.T) {
	partition := invariants.NewWatchPartition()
	w := scenario.NewWith(t, testenv.Options{Fixture: scenario.BothStacks()})
	api := rest.CopyConfig(w.OperatorConfig())
	api.Wrap(partition.Kubernetes)
	n := nodesOf(t, w, testenv.ManagerOptions{API: api})
	n.allConnected()
	one, other := fixtures.S7Node, fixtures.S7NATNode
	// Whatever the cache was to hear of so far, it hears before what is held.
	seen := scenario.Access("seen", "user02", scenario.PC01)
	n.Create(seen)
	n.AwaitAccess(seen, v1alpha1.ReasonGranted)
	partition.Start("sessionaccesses")
	repair := n.breaks(one, stack.InstanceStopped)
	n.resync()
	n.reasonIs(one, reasons[stack.InstanceStopped])
	repair()
	// One round checks both nodes; it is complete once the result for the other one shows.
	mendOther := n.breaks(other, stack.InstanceStopped)
	n.resync()
	n.reasonIs(other, reasons[stack.InstanceStopped])
	partition.End()
	n.connected(one)
	mendOther()
	n.resync()
	n.connected(other)
}
