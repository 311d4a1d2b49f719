package controllers_test

import (
	"slices"
	"strings"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// Every scenario of this package runs with the policies of config/iam, so that
// what is missing in them shows. This is about what is too much: each action is
// withheld once from a scenario that needs it.

// hybrid is a node that is no EC2 instance.
const hybrid = "mi-0123456789abcdef0"

// need is a compact scenario that cannot end well without an action.
type need struct {
	// run brings it to the point where the action is missed.
	run func(w world)
	// Checks that a condition names the action.
	told func(w world, action string)
	// as is how the condition names the action, where it is otherwise.
	as string
	// fixture is what AWS holds, where it is not permissionFixture.
	fixture func() *fixtures.Fixture
}

// needs has a row for each action that config/iam recommends.
var needs = map[string]need{
	"iam:GetAccountAuthorizationDetails": {run: declareAccount, told: accountTold},
	"iam:GetAccountSummary":              {run: declareAccount, told: accountTold},
	"ssm:DescribeSessions":               {run: declareAccount, told: accountTold},

	"iam:GetUser":  {run: grantTo(v1alpha1.PrincipalUser, "nobody"), told: accessTold},
	"iam:GetGroup": {run: grantTo(v1alpha1.PrincipalGroup, "nobody"), told: accessTold},
	"iam:GetRole":  {run: grantTo(v1alpha1.PrincipalRole, "nobody"), told: accessTold},

	"iam:CreatePolicy": {run: grantTo(v1alpha1.PrincipalUser, "user01"), told: accessTold},
	// A policy is created with its tags, in one call.
	"iam:TagPolicy":         {run: grantTo(v1alpha1.PrincipalUser, "user01"), told: accessTold, as: "iam:CreatePolicy"},
	"iam:AttachUserPolicy":  {run: grantTo(v1alpha1.PrincipalUser, "user01"), told: accessTold},
	"iam:AttachGroupPolicy": {run: grantTo(v1alpha1.PrincipalGroup, "operators"), told: accessTold},
	"iam:AttachRolePolicy":  {run: grantTo(v1alpha1.PrincipalRole, "node"), told: accessTold},

	"iam:CreatePolicyVersion": {run: changes(1), told: accessTold},
	"iam:DeletePolicyVersion": {run: changes(5), told: accessTold},
	"iam:ListPolicyVersions":  {run: changeAfterStranger, told: accessTold},

	"iam:DetachUserPolicy":  {run: revokeFrom(v1alpha1.PrincipalUser, "user01"), told: accessTold},
	"iam:DetachGroupPolicy": {run: revokeFrom(v1alpha1.PrincipalGroup, "operators"), told: accessTold},
	"iam:DetachRolePolicy":  {run: revokeFrom(v1alpha1.PrincipalRole, "node"), told: accessTold},
	"iam:DeletePolicy":      {run: revokeFrom(v1alpha1.PrincipalUser, "user01"), told: accessTold},

	"iam:GetPolicy":             {run: changeOfWhatIAMDoesNotShow, told: accessTold},
	"iam:GetPolicyVersion":      {run: changeOfWhatIAMDoesNotShow, told: accessTold},
	"iam:ListEntitiesForPolicy": {run: changeOfWhatIAMDoesNotShow, told: accessTold},

	"ssm:TerminateSession":    {run: revokeWithSession(pc01), told: accessTold},
	"ec2:DescribeInstances":   {run: revokeWithSession(pc01), told: accessTold},
	"ssm:ListTagsForResource": {run: revokeWithSession(hybrid), told: accessTold},

	"ssm:DescribeDocument": {run: declareDocument, told: documentTold},
	"ssm:CreateDocument":   {run: declareDocument, told: documentTold},
	// A document is created with its tags, in one call.
	"ssm:AddTagsToResource":            {run: declareDocument, told: documentTold, as: "ssm:CreateDocument"},
	"ssm:UpdateDocument":               {run: changeDocument(newText), told: documentTold},
	"ssm:UpdateDocumentDefaultVersion": {run: changeDocument(newText), told: documentTold},
	"ssm:ListDocumentVersions":         {run: changeDocument(newText), told: documentTold},
	"ssm:RemoveTagsFromResource":       {run: changeDocument(noTags), told: documentTold},
	"ssm:DescribeDocumentPermission":   {run: changeDocument(newShare), told: documentTold},
	"ssm:ModifyDocumentPermission":     {run: changeDocument(newShare), told: documentTold},
	"ssm:GetDocument":                  {run: changeDocument(newTextBesideForeign), told: documentTold},
	"ssm:DeleteDocument":               {run: deleteDocument, told: documentTold},
	"kms:DescribeKey":                  {run: changeDocument(newKey), told: documentTold},
	"logs:DescribeLogGroups":           {run: changeDocument(newGroup), told: documentTold},
	"s3:GetEncryptionConfiguration":    {run: changeDocument(newBucket), told: documentTold},

	// An activation is created with its tags and its role, in one call.
	"ssm:CreateActivation":            {run: declareActivation, told: activationTold},
	"iam:PassRole":                    {run: declareActivation, told: activationTold},
	"ssm:DescribeActivations":         {run: declareActivation, told: activationTold},
	"ssm:DescribeInstanceInformation": {run: declareActivation, told: activationTold},
	"ssm:DeleteActivation":            {run: deleteActivation, told: activationTold},
	"ssm:DeregisterManagedInstance":   {run: deleteActivation, told: activationTold},

	"ssm:GetServiceSetting":    {run: declareTier, told: tierTold},
	"ssm:UpdateServiceSetting": {run: declareTier, told: tierTold},
	"ssm:ResetServiceSetting":  {run: deleteTier, told: tierTold},

	"ssm:ListDocuments": {run: declareDocument, told: readOneByOne},
}

// inFile has the scenarios of actions that several documents allow, where another
// document needs it for something else.
var inFile = map[string]need{
	"sessions ssm:DescribeDocument": {run: grantDocumentByName, told: accessTold},
	// Default host management may stand in for the profile.
	"reachability ssm:GetServiceSetting":   {run: lookWithoutProfile, told: accessTold, fixture: bothStacks},
	"tier ssm:DescribeInstanceInformation": {run: declareTier, told: tierTold},
}

// Each document is attached with the operator's own and what its scenarios need, and
// no other, so that none makes up for what another one lacks.
func TestEveryActionOfTheRecommendedPoliciesIsNeeded(t *testing.T) {
	files, err := cluster.OperatorPolicies()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		actions, err := cluster.PolicyActions(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, actions...)
		for _, action := range actions {
			kind := strings.TrimSuffix(file, "-policy.json")
			n, ok := inFile[kind+" "+action]
			if file == reachabilityPolicy && !ok {
				if lookedWith[action] == "" {
					t.Errorf("%s allows %s, and no look at nodes needs it: add a row to lookedWith, or take it out", file, action)
				}
				continue // It is withheld from a look at nodes.
			}
			if !ok {
				n, ok = needs[action]
			}
			if !ok {
				t.Errorf("%s allows %s, and no scenario here needs it: add a row, or take it out", file, action)
				continue
			}
			t.Run(kind+" "+strings.ReplaceAll(action, ":", " "), func(t *testing.T) {
				n.isTold(t, action, testenv.Options{Policies: with(file), Withheld: []string{action}})
			})
		}
	}
	for action := range needs {
		if !slices.Contains(all, action) {
			t.Errorf("a scenario needs %s, and config/iam does not allow it", action)
		}
	}
}

const (
	operatorPolicy, sessionsPolicy = "operator-policy.json", "sessions-policy.json"
	reachabilityPolicy             = "reachability-policy.json"
)

// with are the documents that config/iam/README.md has beside one that is used.
func with(file string) []string {
	files := []string{operatorPolicy, sessionsPolicy, file}
	slices.Sort(files)
	return slices.Compact(files)
}

// isTold runs the scenario where an action is withheld.
func (n need) isTold(t *testing.T, action string, o testenv.Options) {
	t.Helper()
	o.Fixture = permissionFixture()
	if n.fixture != nil {
		o.Fixture = n.fixture()
	}
	w := worldOf(t, o)
	w.Manager(t, testenv.ManagerOptions{})
	n.run(w)
	named := action
	if n.as != "" {
		named = n.as
	}
	n.told(w, named)
}

// lookWithoutProfile looks at a node that has no instance profile.
func lookWithoutProfile(w world) {
	for _, cause := range []stack.Cause{stack.NoInstanceProfile, stack.AgentOffline} {
		_, err := w.Emulator.Break(accountID, region, fixtures.S7Node, cause)
		w.must(err)
	}
	w.Emulator.Advance(resyncAfter)
	w.create(account(), access("one", "user01", fixtures.S7Node))
}

func grantDocumentByName(w world) {
	one := access("one", "user01", pc01)
	one.Spec.Documents = []v1alpha1.DocumentReference{{Name: "Shell"}}
	w.create(account(), one)
}

// config/iam/README.md: without sessions-policy.json access is granted, and a
// revocation waits after the permission is gone, save where the account says that
// it need not.
func TestTheOperatorPolicyAloneGivesAndTakesAccess(t *testing.T) {
	w := worldOf(t, testenv.Options{Fixture: permissionFixture(), Policies: []string{operatorPolicy}})
	w.Manager(t, testenv.ManagerOptions{})
	changes(6)(w)
	one := w.accessIs(access("one", "user01", pc01), v1alpha1.ReasonGranted)
	if !w.may("user01", pc01) {
		t.Error("access was granted, and is not there")
	}
	change(w, one, func(a *v1alpha1.SessionAccess) { a.Spec.OnRevoke = v1alpha1.RevokeTerminateSessions })
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.must(w.Client.Delete(t.Context(), one))
	accessTold(w, "ssm:DescribeSessions")
	w.until(func() bool { return !w.may("user01", pc01) })
	change(w, account(), func(a *v1alpha1.AWSAccount) { a.Spec.SessionTermination = v1alpha1.TerminationBestEffort })
	_, err := testenv.WaitFor(t.Context(), w.Client, account(), func(a *v1alpha1.AWSAccount) bool {
		return a.Spec.SessionTermination == v1alpha1.TerminationBestEffort && a.Status.ObservedGeneration == a.Generation
	})
	w.must(err)
	w.advance(testWindow, one)
	w.must(testenv.WaitGone(t.Context(), w.Client, one))
	w.onlyRefusedWithout(operatorPolicy)
}

// onlyRefusedWithout checks that the operator was refused nothing that the documents
// which it has allow.
func (w world) onlyRefusedWithout(files ...string) {
	w.t.Helper()
	for _, file := range files {
		actions, err := cluster.PolicyActions(file)
		w.must(err)
		for _, call := range w.Emulator.CallLog(0) {
			if refused := strings.HasPrefix(call.Code, "AccessDenied") || call.Code == "UnauthorizedOperation"; refused && slices.Contains(actions, call.Action()) {
				w.t.Errorf("the operator was refused %s, which %s should allow", call.Action(), file)
			}
		}
	}
}

// everyKind has an object of each kind come, change and go, with open sessions, in an
// account that is declared in some way.
func everyKind(w world, declared ...func(*v1alpha1.AWSAccount)) {
	w.t.Helper()
	main := account(append(declared, allowing(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}, ShareWith: []v1alpha1.AccountID{sharee}}), allowActivations())...)
	doc, tier := neededDocument(), accountTier(v1alpha1.TierAdvanced)
	site := activation("one", func(s *v1alpha1.HybridActivationSpec) { s.OnDelete.Nodes = v1alpha1.NodesDeregister })
	one, two := access("one", "user01", pc01), access("two", "user02", hybrid)
	w.create(main, doc, tier, site, one, two)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.activationIs(site, v1alpha1.ReasonActivated)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.accessIs(two, v1alpha1.ReasonGranted)
	w.register(w.secret("one"))
	sessions := []string{w.open(user("user01"), pc01), w.open(user("user02"), hybrid)}
	change(w, doc, func(d *v1alpha1.SessionDocument) {
		for _, edit := range []func(world, *v1alpha1.SessionDocumentSpec){newText, noTags, newShare, newKey, newBucket, newGroup} {
			edit(w, &d.Spec)
		}
	})
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	gone := []client.Object{doc, tier, site, one, two}
	for _, obj := range gone {
		w.must(w.Client.Delete(w.t.Context(), obj))
	}
	for _, id := range sessions {
		w.untilEnded(id)
	}
	w.advance(testWindow, one, two, site, tier)
	for _, obj := range gone {
		w.must(testenv.WaitGone(w.t.Context(), w.Client, obj))
	}
}

// Without the optional reachability-policy.json, the operator does not check nodes.
// Everything else works as it does with the policy.
func TestTheOperatorWorksWithoutTheReachabilityPolicy(t *testing.T) {
	files, err := cluster.OperatorPolicies()
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return file == reachabilityPolicy })
	w := worldOf(t, testenv.Options{Fixture: permissionFixture(), Policies: files})
	w.Manager(t, testenv.ManagerOptions{})
	everyKind(w)
	w.onlyRefusedWithout(files...)
}

func TestTheBoundaryLeavesTheOperatorWhatItNeeds(t *testing.T) {
	w := worldOf(t, testenv.Options{Fixture: permissionFixture(), Boundary: true})
	w.Manager(t, testenv.ManagerOptions{})
	everyKind(w)
	w.nothingWasMissing()
}

// What the boundary does not name is missing, whatever the policies allow.
func TestWhatIsTakenOutOfTheBoundaryIsMissed(t *testing.T) {
	for _, action := range []string{
		"iam:AttachUserPolicy", "iam:CreatePolicy", "iam:PassRole", "ssm:CreateActivation", "ssm:CreateDocument", "ssm:TerminateSession", "ssm:UpdateServiceSetting",
	} {
		t.Run(strings.ReplaceAll(action, ":", " "), func(t *testing.T) {
			needs[action].isTold(t, action, testenv.Options{Boundary: true, WithheldByBoundary: []string{action}})
		})
	}
}

func permissionFixture() *fixtures.Fixture {
	f := fixtures.S1()
	first := &f.Accounts[0]
	first.Groups = append(first.Groups, fixtures.Group{Name: "operators"})
	in := first.Regions[region]
	in.ManagedNodes = append(in.ManagedNodes, fixtures.ManagedNode{ID: hybrid, Agent: fixtures.Agent{PlatformType: "Linux"}})
	first.Regions[region] = in
	return f
}

func declareAccount(w world) { w.create(account()) }

func grantTo(kind v1alpha1.PrincipalKind, name string) func(w world) {
	return func(w world) {
		grant := access("one", "", pc01)
		grant.Spec.Principals = []v1alpha1.Principal{{Kind: kind, Name: name}}
		grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions // A narrowing is done at once then.
		w.create(account(), grant)
	}
}

// changes widens a grant a number of times, each to be written.
func changes(n int) func(w world) {
	return func(w world) {
		grantTo(v1alpha1.PrincipalUser, "user01")(w)
		one := access("one", "user01", pc01)
		for i := range n {
			w.accessIs(one, v1alpha1.ReasonGranted)
			w.retarget(one, i)
		}
	}
}

// retarget changes the nodes of a grant, back and forth.
func (w world) retarget(one *v1alpha1.SessionAccess, i int) {
	w.t.Helper()
	ids := []v1alpha1.InstanceID{pc01, pc02}
	change(w, one, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = ids[:2-i%2] })
}

// changeAfterStranger changes a policy whose versions a foreign client has used up.
func changeAfterStranger(w world) {
	grantTo(v1alpha1.PrincipalUser, "user01")(w)
	one := w.accessIs(access("one", "user01", pc01), v1alpha1.ReasonGranted)
	admin, arn, document := awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin"))), w.ourPolicies()[0].ARN, everything
	for range 4 {
		_, err := admin.CreatePolicyVersion(w.t.Context(), &awsiam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &document})
		w.must(err)
	}
	w.retarget(one, 0)
}

// changeOfWhatIAMDoesNotShow changes a policy that IAM says once does not exist.
func changeOfWhatIAMDoesNotShow(w world) {
	grantTo(v1alpha1.PrincipalUser, "user01")(w)
	one := w.accessIs(access("one", "user01", pc01), v1alpha1.ReasonGranted)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Error, Code: "NoSuchEntity", Status: 404, Action: "iam:CreatePolicyVersion", Count: 1})
	w.must(err)
	w.retarget(one, 0)
}

func revokeFrom(kind v1alpha1.PrincipalKind, name string) func(w world) {
	return func(w world) {
		grantTo(kind, name)(w)
		one := w.accessIs(access("one", "", pc01), v1alpha1.ReasonGranted)
		w.must(w.Client.Delete(w.t.Context(), one))
	}
}

// revokeWithSession ends access to a node whose tags decide about its sessions.
func revokeWithSession(node string) func(w world) {
	guarded := func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{excluding("nodes", excludedTag("Env", "prod"))}
	}
	return func(w world) {
		w.create(account(guarded), access("one", "user01", node))
		one := w.accessIs(access("one", "user01", node), v1alpha1.ReasonGranted)
		w.open(user("user01"), node)
		w.must(w.Client.Delete(w.t.Context(), one))
	}
}

func declareActivation(w world) { w.create(account(allowActivations()), activation("one")) }

// deleteActivation deletes an activation with which a machine has registered.
func deleteActivation(w world) {
	one := activation("one", func(s *v1alpha1.HybridActivationSpec) { s.OnDelete.Nodes = v1alpha1.NodesDeregister })
	w.activated(one, account(allowActivations()))
	w.register(w.secret("one"))
	w.must(w.Client.Delete(w.t.Context(), one))
}

func declareTier(w world) { w.create(account(), accountTier(v1alpha1.TierAdvanced)) }

// deleteTier has the tier put back to what it was.
func deleteTier(w world) {
	declareTier(w)
	w.deleteTier(w.tierIs(accountTier(v1alpha1.TierAdvanced), v1alpha1.ReasonTierInForce))
}

// readOneByOne waits until a resync asks for each document: the operator continues
// without the list of all, at a cost.
func readOneByOne(w world, _ string) {
	w.t.Helper()
	w.documentIs(neededDocument(), v1alpha1.ReasonInPlace)
	seen := w.LastCall()
	w.advance(resyncAfter, account())
	_, err := w.WaitCall(w.t.Context(), seen, func(c calls.Call) bool { return c.Operation == "DescribeDocument" })
	w.must(err)
}

// names reports whether a condition names an action.
func names(conditions []metav1.Condition, action string) bool {
	for _, c := range conditions {
		if strings.Contains(c.Message, action+" ") || strings.Contains(c.Message, action+",") || strings.Contains(c.Message, action+".") || strings.Contains(c.Message, action+":") {
			return true
		}
	}
	return false
}

func accountTold(w world, action string) {
	w.t.Helper()
	_, err := testenv.WaitFor(w.t.Context(), w.Client, account(), func(a *v1alpha1.AWSAccount) bool { return names(a.Status.Conditions, action) })
	w.must(err)
}

func accessTold(w world, action string) {
	w.t.Helper()
	_, err := testenv.WaitFor(w.t.Context(), w.Client, access("one", ""), func(a *v1alpha1.SessionAccess) bool { return names(a.Status.Conditions, action) })
	w.must(err)
}

func activationTold(w world, action string) {
	w.t.Helper()
	_, err := testenv.WaitFor(w.t.Context(), w.Client, activation("one"), func(a *v1alpha1.HybridActivation) bool { return names(a.Status.Conditions, action) })
	w.must(err)
}

func tierTold(w world, action string) {
	w.t.Helper()
	_, err := testenv.WaitFor(w.t.Context(), w.Client, accountTier(""), func(a *v1alpha1.AccountTier) bool { return names(a.Status.Conditions, action) })
	w.must(err)
}
