package hybridactivation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// onePass is how many nodes the operator writes to in one reconcile.
const onePass = 50

// manyNodes registers machines with the code in the Secret, and returns them by id.
func (w world) manyNodes(secret string, n int) []string {
	w.T.Helper()
	code := w.Secret(secret)
	var nodes []string
	for range n {
		nodes = append(nodes, w.RegisterMachine(code))
	}
	slices.Sort(nodes)
	return nodes
}

// refuseFor has AWS refuse an action for some nodes.
func (w world) refuseFor(action string, nodes []string) (faultIDs []string) {
	w.T.Helper()
	for _, id := range nodes {
		fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: action, Parameter: id})
		w.Must(err)
		faultIDs = append(faultIDs, fault)
	}
	return faultIDs
}

// tagged counts the nodes that carry the tag by which access to them is granted.
func (w world) tagged(nodes []string, by *v1alpha1.HybridActivation) (n int) {
	for _, id := range nodes {
		if node, there := w.Node(id); there && node.Tags[v1alpha1.TagActivation] == string(by.UID) {
			n++
		}
	}
	return n
}

func manyMachines(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(200)) }

func TestNodesThatCannotBeTaggedTakeNoOthersTurn(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", manyMachines)
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	nodes := w.manyNodes("sites", 2*onePass+10)
	refused := w.refuseFor("ssm:AddTagsToResource", nodes[:onePass])
	for _, id := range nodes {
		w.SetNodeTags(id, nil)
	}
	w.Advance(3*time.Minute, obj)
	w.Eventually(func() bool { return w.tagged(nodes[onePass:], obj) == onePass+10 })
	got := w.AwaitActivation(obj, v1alpha1.ReasonAccessDenied)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "ssm:AddTagsToResource")
	for _, id := range refused {
		w.Emulator.RemoveFault(id)
	}
	w.Touch(obj)
	w.AwaitActivation(obj, v1alpha1.ReasonActivated)
	if n := w.tagged(nodes, obj); n != len(nodes) {
		t.Errorf("Ready is True, and %d of %d nodes have their tag", n, len(nodes))
	}
}

// Access is granted by the tag: until each node has it, the declaration is not in effect.
func TestReadyWaitsUntilEveryNodeHasItsTag(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", manyMachines)
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	nodes := w.manyNodes("sites", onePass+10)
	for _, id := range nodes {
		w.SetNodeTags(id, nil)
	}
	w.Advance(3*time.Minute, obj)
	got := w.AwaitActivation(obj, v1alpha1.ReasonTaggingNodes)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "10 nodes", "tag")
	if n := w.tagged(nodes, obj); n != onePass {
		t.Errorf("one pass tagged %d nodes", n)
	}
	w.Eventually(func() bool { return w.tagged(nodes, obj) == len(nodes) })
	w.AwaitActivation(obj, v1alpha1.ReasonActivated)
}

func TestNodesThatCannotBeDeregisteredTakeNoOthersTurn(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", manyMachines, func(s *v1alpha1.HybridActivationSpec) { s.NodeDeletionPolicy = v1alpha1.NodesDeregister })
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	nodes := w.manyNodes("sites", 2*onePass+10)
	refused := w.refuseFor("ssm:DeregisterManagedInstance", nodes[:onePass])
	registered := func(of []string) (n int) {
		for _, id := range of {
			if _, there := w.Node(id); there {
				n++
			}
		}
		return n
	}
	w.Must(w.Client.Delete(t.Context(), obj))
	w.Eventually(func() bool { return registered(nodes[onePass:]) == 0 })
	w.AwaitActivation(obj, v1alpha1.ReasonAccessDenied)
	if n := registered(nodes); n != onePass {
		t.Errorf("%d nodes are registered", n)
	}
	for _, id := range refused {
		w.Emulator.RemoveFault(id)
	}
	w.Touch(obj)
	w.Eventually(func() bool { return registered(nodes) == 0 })
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
}

func TestNodesThatCannotBeReleasedTakeNoOthersTurn(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", manyMachines)
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	nodes := w.manyNodes("sites", onePass+10)
	refused := w.refuseFor("ssm:AddTagsToResource", nodes[:onePass])
	w.Must(w.Client.Delete(t.Context(), obj))
	released := func(of []string) bool {
		return !slices.ContainsFunc(of, func(id string) bool {
			node, there := w.Node(id)
			return !there || node.Tags[v1alpha1.TagObject] != "released"
		})
	}
	w.Eventually(func() bool { return released(nodes[onePass:]) })
	w.AwaitActivation(obj, v1alpha1.ReasonAccessDenied)
	for _, id := range refused {
		w.Emulator.RemoveFault(id)
	}
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
	if !released(nodes) {
		t.Error("nodes are left that a later object of the name would get")
	}
}

// Ten are deleted in one sweep.
func TestActivationsThatCannotBeSweptTakeNoOthersTurn(t *testing.T) {
	const oneSweep = 10
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	kept := scenario.Activation("kept") // Regions with none are not swept again.
	w.CreateActivation(kept, scenario.Account(scenario.AllowActivations()))
	var lost []*v1alpha1.HybridActivation
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"} {
		obj := scenario.Activation("lost-" + name)
		w.Create(obj)
		lost = append(lost, obj)
	}
	var ids []string
	for _, obj := range lost {
		ids = append(ids, w.AwaitActivation(obj, v1alpha1.ReasonActivated).Status.ActivationID)
	}
	slices.Sort(ids)
	w.refuseFor("ssm:DeleteActivation", ids[:oneSweep])
	for _, obj := range lost {
		scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { a.Finalizers = nil })
		w.Must(w.Client.Delete(t.Context(), obj))
	}
	w.Advance(scenario.Window)
	w.Eventually(func() bool { return len(w.Activations()) == 1+oneSweep })
}
