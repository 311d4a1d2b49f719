package controllers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// An answer may be lost before the effect or after it. Which of the two is unknown
// until the window has passed, and exactly one activation is left in the end.
func TestAnUnansweredRequestIsSettledBeforeAnother(t *testing.T) {
	for _, kind := range []faults.Kind{faults.DropAfter, faults.Drop, faults.ErrorAfter, faults.ServerError} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			w.Emulator.SetConsistency(awsemulator.Consistency{Activations: activationLag})
			_, err := w.Emulator.Inject(faults.Fault{Kind: kind, Action: "ssm:CreateActivation", Count: 1})
			w.must(err)
			obj := activation("sites")
			w.create(account(allowActivations()), obj)
			got := w.activationIs(obj, v1alpha1.ReasonSettling)
			w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "about a minute")
			if n := w.ssmCalls(0, "CreateActivation"); n != 1 {
				t.Errorf("the request was sent %d times", n)
			}
			w.touch(obj) // It must not be hurried.
			w.advance(30*time.Second, obj)
			w.activationIs(obj, v1alpha1.ReasonSettling)
			w.advance(testWindow, obj)
			w.holdsOne(w.activationIs(obj, v1alpha1.ReasonActivated))
			if n := w.ssmCalls(0, "CreateActivation"); n != 2 {
				t.Errorf("the request was sent %d times", n)
			}
		})
	}
}

func TestARoleThatIsNotThereYetIsWaitedForAWhile(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	id, err := w.Emulator.Inject(faults.Fault{
		Kind: faults.Error, Action: "ssm:CreateActivation", Code: "ValidationException",
		Message: "Nonexistent role or missing ssm service principal in trust policy: arn:aws:iam::488821267897:role/SSMServiceRole",
	})
	w.must(err)
	obj := activation("sites")
	w.create(account(allowActivations()), obj)
	got := w.activationIs(obj, v1alpha1.ReasonRoleNotUsable)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, serviceRole, "ssm.amazonaws.com")
	if condition(got.Status.Conditions, v1alpha1.ConditionReconciling).Reason == "" {
		t.Error("it is not tried again")
	}
	w.advance(testWindow, obj)
	w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionStalled).Reason == v1alpha1.ReasonRoleNotUsable
	})
	w.Emulator.RemoveFault(id)
	w.touch(obj)
	w.holdsOne(w.activationIs(obj, v1alpha1.ReasonActivated))
}

func TestARefusedActionIsNamed(t *testing.T) {
	for action, name := range map[string]string{
		"ssm:CreateActivation": "iam:PassRole", "ssm:DescribeActivations": "ssm:DescribeActivations",
		"ssm:DescribeInstanceInformation": "ssm:DescribeInstanceInformation",
	} {
		t.Run(action, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: action})
			w.must(err)
			obj := activation("sites")
			w.create(account(allowActivations()), obj)
			got := w.activationIs(obj, v1alpha1.ReasonAccessDenied)
			w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, action, name)
			w.Emulator.RemoveFault(id)
			w.touch(obj)
			w.holdsOne(w.activationIs(obj, v1alpha1.ReasonActivated))
		})
	}
}

// A node's tag grants access to it: without the tag, users lose their access.
func TestANodeGetsItsTagBack(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	obj := activation("sites")
	got := w.activated(obj, account(allowActivations()))
	node := w.register(w.secret("sites"))
	w.tagNode(node, map[string]string{"Env": "stg"})
	w.advance(3 * time.Minute)
	w.until(func() bool {
		n, _ := w.node(node)
		return n.Tags[v1alpha1.TagActivation] == string(got.UID)
	})
	if n, _ := w.node(node); n.Tags["Env"] != "stg" || n.Tags[v1alpha1.TagObject] == "" || len(n.Tags) != 3 {
		t.Errorf("the node has the tags %v", n.Tags)
	}
}

// A hundred activations with a thousand nodes cost what one list of each costs.
func TestAResyncOfManyActivationsReadsEachListOnce(t *testing.T) {
	const objects, nodesEach = 100, 10
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.create(account(allowActivations()))
	var all []*v1alpha1.HybridActivation
	for i := range objects {
		all = append(all, activation(fmt.Sprint("sites-", i)))
		w.create(all[i])
	}
	for _, obj := range all {
		w.activationIs(obj, v1alpha1.ReasonActivated)
		secret := w.secret(obj.Name)
		for range nodesEach {
			w.register(secret)
		}
	}
	before := w.LastCall()
	w.advance(3 * time.Minute)
	for _, obj := range all {
		w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool {
			return a.Status.NodeCount != nil && *a.Status.NodeCount == nodesEach
		})
	}
	// Until the next resync has begun, so that this one is over.
	_, err := w.WaitCall(t.Context(), w.LastCall(), func(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" })
	w.must(err)
	counts := map[string]int{}
	for _, call := range w.Emulator.CallLog(before) {
		if call.Service == "ssm" && call.Operation != "DescribeSessions" {
			counts[call.Operation]++
		}
	}
	t.Logf("%d objects with %d nodes: %v", objects, objects*nodesEach, counts)
	// Pages of 50: 2 of activations, 20 of nodes, 20 of tagged nodes.
	want := map[string]int{"DescribeActivations": 2, "DescribeInstanceInformation": 40}
	for operation, n := range counts {
		if n != want[operation] {
			t.Errorf("%d calls of %s, want %d", n, operation, want[operation])
		}
	}
}
