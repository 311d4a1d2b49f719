package hybridactivation_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
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
			w.Must(err)
			obj := scenario.Activation("sites")
			w.Create(scenario.Account(scenario.AllowActivations()), obj)
			got := w.AwaitActivation(obj, v1alpha1.ReasonSettling)
			w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "about a minute")
			if n := w.SSMCalls(0, "CreateActivation"); n != 1 {
				t.Errorf("the request was sent %d times", n)
			}
			w.Touch(obj) // It must not be hurried.
			w.Advance(30*time.Second, obj)
			w.AwaitActivation(obj, v1alpha1.ReasonSettling)
			w.Advance(scenario.Window, obj)
			w.holdsOne(w.AwaitActivation(obj, v1alpha1.ReasonActivated))
			if n := w.SSMCalls(0, "CreateActivation"); n != 2 {
				t.Errorf("the request was sent %d times", n)
			}
		})
	}
}

func TestARoleThatIsNotThereYetIsWaitedForAWhile(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	id, err := w.Emulator.Inject(faults.Fault{
		Kind: faults.Error, Action: "ssm:CreateActivation", Code: "ValidationException",
		Message: "1 validation error detected: Nonexistent role or missing ssm service principal in trust policy: arn:aws:iam::488821267897:role/SSMServiceRole",
	})
	w.Must(err)
	obj := scenario.Activation("sites")
	w.Create(scenario.Account(scenario.AllowActivations()), obj)
	got := w.AwaitActivation(obj, v1alpha1.ReasonRoleNotUsable)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, scenario.ServiceRole, "ssm.amazonaws.com")
	if scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReconciling).Reason == "" {
		t.Error("it is not tried again")
	}
	w.Advance(scenario.Window, obj)
	w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionStalled).Reason == v1alpha1.ReasonRoleNotUsable
	})
	w.Emulator.RemoveFault(id)
	w.Touch(obj)
	w.holdsOne(w.AwaitActivation(obj, v1alpha1.ReasonActivated))
}

// The objects are those of public reports.
func TestARoleWithAPathIsGivenWithIt(t *testing.T) {
	const withPath = "service-role/AmazonEC2RunCommandRoleForManagedInstances"
	w := newWorld(t, testenv.ManagerOptions{})
	reported := func(file string) *v1alpha1.HybridActivation {
		text, err := os.ReadFile("../testdata/reported/" + file)
		w.Must(err)
		obj := &v1alpha1.HybridActivation{}
		w.Must(yaml.UnmarshalStrict(text, obj))
		return obj
	}
	w.addRole(withPath)
	obj := reported("service-role-path.yaml")
	scenario.ExpectEqual(t, "the declared role", obj.Spec.Role, withPath)
	w.Create(scenario.Account(scenario.AllowActivations(func(r *v1alpha1.ActivationRule) { r.Roles = []v1alpha1.NamePattern{"AmazonEC2*", "NoSuch*"} })), obj)
	w.holdsOne(w.AwaitActivation(obj, v1alpha1.ReasonActivated))

	// ? That AWS does not find it by its name alone is what users report.
	admin := awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin")))
	pass := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}]}`
	_, err := admin.PutUserPolicy(t.Context(), &awsiam.PutUserPolicyInput{UserName: aws.String("ssm-access-operator"), PolicyName: aws.String("pass"), PolicyDocument: &pass})
	w.Must(err)
	for _, file := range []string{"service-role-name.yaml", "no-such-role.yaml"} {
		alone := reported(file)
		w.Create(alone)
		got := w.AwaitActivation(alone, v1alpha1.ReasonRoleNotUsable)
		w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, alone.Spec.Role, "service-role/NAME")
	}
	other := scenario.Activation("other", func(s *v1alpha1.HybridActivationSpec) { s.Role = "OtherRole" })
	w.Create(other)
	w.AwaitActivation(other, v1alpha1.ReasonGuardrailViolated)
}

func TestARefusedActionIsNamed(t *testing.T) {
	for action, name := range map[string]string{
		"ssm:CreateActivation": "iam:PassRole", "ssm:DescribeActivations": "ssm:DescribeActivations",
		"ssm:DescribeInstanceInformation": "ssm:DescribeInstanceInformation",
	} {
		t.Run(action, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: action})
			w.Must(err)
			obj := scenario.Activation("sites")
			w.Create(scenario.Account(scenario.AllowActivations()), obj)
			got := w.AwaitActivation(obj, v1alpha1.ReasonAccessDenied)
			w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, action, name)
			w.Emulator.RemoveFault(id)
			w.Touch(obj)
			w.holdsOne(w.AwaitActivation(obj, v1alpha1.ReasonActivated))
		})
	}
}

// A node's tag grants access to it: without the tag, users lose their access.
func TestANodeGetsItsTagBack(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	obj := scenario.Activation("sites")
	got := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	node := w.RegisterMachine(w.Secret("sites"))
	w.SetNodeTags(node, map[string]string{"Env": "stg"})
	w.Advance(3 * time.Minute)
	w.Eventually(func() bool {
		n, _ := w.Node(node)
		return n.Tags[v1alpha1.TagActivation] == string(got.UID)
	})
	if n, _ := w.Node(node); n.Tags["Env"] != "stg" || n.Tags[v1alpha1.TagObject] == "" || len(n.Tags) != 3 {
		t.Errorf("the node has the tags %v", n.Tags)
	}
}

// A hundred activations with a thousand nodes cost what one list of each costs.
func TestAResyncOfManyActivationsReadsEachListOnce(t *testing.T) {
	const objects, nodesEach = 100, 10
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Create(scenario.Account(scenario.AllowActivations()))
	var all []*v1alpha1.HybridActivation
	for i := range objects {
		all = append(all, scenario.Activation(fmt.Sprint("sites-", i)))
		w.Create(all[i])
	}
	for _, obj := range all {
		w.AwaitActivation(obj, v1alpha1.ReasonActivated)
		secret := w.Secret(obj.Name)
		for range nodesEach {
			w.RegisterMachine(secret)
		}
	}
	before := w.LastCall()
	w.Advance(3 * time.Minute)
	for _, obj := range all {
		w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool {
			return a.Status.NodeCount != nil && *a.Status.NodeCount == nodesEach
		})
	}
	// Until the next resync has begun, so that this one is over.
	_, err := w.WaitCall(t.Context(), w.LastCall(), func(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" })
	w.Must(err)
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

func TestANodeThatCannotBeTaggedKeepsNoOtherFromItsTag(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(5)) })
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	var nodes []string
	for range 3 {
		nodes = append(nodes, w.RegisterMachine(w.Secret("sites")))
	}
	slices.Sort(nodes)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:AddTagsToResource", Parameter: nodes[0]})
	w.Must(err)
	for _, id := range nodes {
		w.SetNodeTags(id, nil)
	}
	w.Advance(3*time.Minute, obj)
	w.Eventually(func() bool {
		return !slices.ContainsFunc(nodes[1:], func(id string) bool {
			node, there := w.Node(id)
			return !there || node.Tags[v1alpha1.TagActivation] == ""
		})
	})
}
