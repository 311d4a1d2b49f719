package controllers_test

import (
	"encoding/json"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// audited is a document that asks for all that the fixture has: a log group, a
// bucket, a key.
const audited = "audited"

func auditedDocument() fixtures.Document {
	content, err := json.Marshal(map[string]any{
		"schemaVersion": "1.0", "description": "Sessions on record", "sessionType": "Standard_Stream",
		"inputs": map[string]any{
			"s3BucketName": fixtures.S7Bucket, "s3KeyPrefix": "SessionManager", "s3EncryptionEnabled": true,
			"cloudWatchLogGroupName": fixtures.S7LogGroup, "cloudWatchEncryptionEnabled": true, "cloudWatchStreamingEnabled": true,
			"kmsKeyId": fixtures.S7Key,
		},
	})
	if err != nil {
		panic(err)
	}
	return fixtures.Document{Name: audited, Content: content}
}

// bothStacks are S7 and S7NAT side by side.
func bothStacks() *fixtures.Fixture {
	f := fixtures.S7()
	r := f.Accounts[0].Regions[region]
	r.Documents = append(r.Documents, auditedDocument())
	f.Accounts[0].Regions[region] = r
	f.AddMachines(fixtures.S7NAT())
	return f
}

// nodes is a world with a node behind endpoints and one behind a NAT gateway, and
// an access to each.
type nodes struct {
	world
	account *v1alpha1.AWSAccount
	// access by node.
	access map[string]*v1alpha1.SessionAccess
}

// resyncAfter is longer than the resync interval of the tests, and than an
// instance may take to start.
const resyncAfter = 6 * time.Minute

func newNodes(t *testing.T, change ...func(*v1alpha1.AWSAccount)) nodes {
	t.Helper()
	return nodesOf(t, worldOf(t, testenv.Options{Fixture: bothStacks()}), testenv.ManagerOptions{}, change...)
}

// nodesOf is the same with a manager of another sort.
func nodesOf(t *testing.T, w world, o testenv.ManagerOptions, change ...func(*v1alpha1.AWSAccount)) nodes {
	t.Helper()
	t.Cleanup(w.nothingWasMissing)
	w.Manager(t, o)
	n := nodes{world: w, account: account(change...), access: map[string]*v1alpha1.SessionAccess{}}
	w.Emulator.Advance(resyncAfter)
	w.create(n.account)
	for node, name := range map[string]string{fixtures.S7Node: "endpoints", fixtures.S7NATNode: "nat"} {
		a := access(name, "user01", node)
		a.Spec.Documents = []v1alpha1.DocumentReference{{Name: audited}}
		n.access[node] = a
		w.create(a)
	}
	return n
}

// breaks brings a cause about and returns what mends it.
func (n nodes) breaks(node string, cause stack.Cause) (mend func()) {
	n.t.Helper()
	undo, err := n.Emulator.Break(accountID, region, node, cause)
	n.must(err)
	return func() {
		n.t.Helper()
		n.must(undo())
	}
}

// resync has the operator read the account again.
func (n nodes) resync() { n.advance(resyncAfter, n.account) }

// reachable waits until something holds of an access and its TargetsReachable.
func (n nodes) reachable(node string, holds func(*v1alpha1.SessionAccess, metav1.Condition) bool) *v1alpha1.SessionAccess {
	n.t.Helper()
	got, err := testenv.WaitFor(n.t.Context(), n.Client, n.access[node], func(a *v1alpha1.SessionAccess) bool {
		return holds(a, condition(a.Status.Conditions, v1alpha1.ConditionTargetsReachable))
	})
	n.must(err)
	return got
}

// connected waits until the access to a node has nothing to complain of.
func (n nodes) connected(node string) *v1alpha1.SessionAccess {
	n.t.Helper()
	return n.reachable(node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool { return c.Status == metav1.ConditionTrue })
}

// allConnected waits until no access has anything to complain of.
func (n nodes) allConnected() {
	n.t.Helper()
	for node := range n.access {
		n.connected(node)
	}
}
