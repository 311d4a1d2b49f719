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
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
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
	reported func(w world, action string)
	// as is how the condition names the action, where it is otherwise.
	as string
	// fixture is what AWS holds, where it is not permissionFixture.
	fixture func() *fixtures.Fixture
}

// needs has a row for each action that config/iam recommends.
var needs = map[string]need{
	"iam:GetAccountAuthorizationDetails": {run: declareAccount, reported: accountReported},
	"iam:GetAccountSummary":              {run: declareAccount, reported: accountReported},
	"ssm:DescribeSessions":               {run: declareAccount, reported: accountReported},

	"iam:GetUser":  {run: grantTo(v1alpha1.PrincipalUser, "nobody"), reported: accessReported},
	"iam:GetGroup": {run: grantTo(v1alpha1.PrincipalGroup, "nobody"), reported: accessReported},
	"iam:GetRole":  {run: grantTo(v1alpha1.PrincipalRole, "nobody"), reported: accessReported},

	"iam:CreatePolicy": {run: grantTo(v1alpha1.PrincipalUser, "user01"), reported: accessReported},
	// A policy is created with its tags, in one call.
	"iam:TagPolicy":         {run: grantTo(v1alpha1.PrincipalUser, "user01"), reported: accessReported, as: "iam:CreatePolicy"},
	"iam:AttachUserPolicy":  {run: grantTo(v1alpha1.PrincipalUser, "user01"), reported: accessReported},
	"iam:AttachGroupPolicy": {run: grantTo(v1alpha1.PrincipalGroup, "operators"), reported: accessReported},
	"iam:AttachRolePolicy":  {run: grantTo(v1alpha1.PrincipalRole, "node"), reported: accessReported},

	"iam:CreatePolicyVersion": {run: changes(1), reported: accessReported},
	"iam:DeletePolicyVersion": {run: changes(5), reported: accessReported},
	"iam:ListPolicyVersions":  {run: changeAfterStranger, reported: accessReported},

	"iam:DetachUserPolicy":  {run: revokeFrom(v1alpha1.PrincipalUser, "user01"), reported: accessReported},
	"iam:DetachGroupPolicy": {run: revokeFrom(v1alpha1.PrincipalGroup, "operators"), reported: accessReported},
	"iam:DetachRolePolicy":  {run: revokeFrom(v1alpha1.PrincipalRole, "node"), reported: accessReported},
	"iam:DeletePolicy":      {run: revokeFrom(v1alpha1.PrincipalUser, "user01"), reported: accessReported},

	"iam:GetPolicy":             {run: changeOfWhatIAMDoesNotShow, reported: accessReported},
	"iam:GetPolicyVersion":      {run: changeOfWhatIAMDoesNotShow, reported: accessReported},
	"iam:ListEntitiesForPolicy": {run: changeOfWhatIAMDoesNotShow, reported: accessReported},

	"ssm:TerminateSession":    {run: revokeWithSession(scenario.PC01), reported: accessReported},
	"ec2:DescribeInstances":   {run: revokeWithSession(scenario.PC01), reported: accessReported},
	"ssm:ListTagsForResource": {run: revokeWithSession(hybrid), reported: accessReported},

	"ssm:DescribeDocument": {run: declareDocument, reported: documentReported},
	"ssm:CreateDocument":   {run: declareDocument, reported: documentReported},
	// A document is created with its tags, in one call.
	"ssm:AddTagsToResource":            {run: declareDocument, reported: documentReported, as: "ssm:CreateDocument"},
	"ssm:UpdateDocument":               {run: changeDocument(newText), reported: documentReported},
	"ssm:UpdateDocumentDefaultVersion": {run: changeDocument(newText), reported: documentReported},
	"ssm:ListDocumentVersions":         {run: changeDocument(newText), reported: documentReported},
	"ssm:RemoveTagsFromResource":       {run: changeDocument(noTags), reported: documentReported},
	"ssm:DescribeDocumentPermission":   {run: changeDocument(newShare), reported: documentReported},
	"ssm:ModifyDocumentPermission":     {run: changeDocument(newShare), reported: documentReported},
	"ssm:GetDocument":                  {run: changeDocument(newTextBesideForeign), reported: documentReported},
	"ssm:DeleteDocument":               {run: deleteDocument, reported: documentReported},
	"ram:GetResourceShares":            {run: changeDocument(newOrganization), reported: documentReported},
	"ram:CreateResourceShare":          {run: changeDocument(newOrganization), reported: documentReported},
	"ram:GetResourceShareAssociations": {run: changeDocument(newOrganization), reported: documentReported},
	"ssm:GetResourcePolicies":          {run: changeDocument(newOrganization), reported: documentReported},
	// RAM writes the policy of the document in the name of the caller.
	"ssm:PutResourcePolicy":         {run: changeDocument(newOrganization), reported: documentReported, as: "ram:CreateResourceShare"},
	"ram:AssociateResourceShare":    {run: changeOrganization(scenario.Organization, scenario.Unit), reported: documentReported},
	"ram:DisassociateResourceShare": {run: changeOrganization(scenario.Unit), reported: documentReported},
	"ram:DeleteResourceShare":       {run: changeOrganization(), reported: documentReported},
	"ssm:DeleteResourcePolicy":      {run: changeOrganization(), reported: documentReported, as: "ram:DeleteResourceShare"},
	"kms:DescribeKey":               {run: changeDocument(newKey), reported: documentReported},
	"logs:DescribeLogGroups":        {run: changeDocument(newGroup), reported: documentReported},
	"s3:GetEncryptionConfiguration": {run: changeDocument(newBucket), reported: documentReported},

	// An activation is created with its tags and its role, in one call.
	"ssm:CreateActivation":            {run: declareActivation, reported: activationReported},
	"iam:PassRole":                    {run: declareActivation, reported: activationReported},
	"ssm:DescribeActivations":         {run: declareActivation, reported: activationReported},
	"ssm:DescribeInstanceInformation": {run: declareActivation, reported: activationReported},
	"ssm:DeleteActivation":            {run: deleteActivation, reported: activationReported},
	"ssm:DeregisterManagedInstance":   {run: deleteActivation, reported: activationReported},

	"ssm:GetServiceSetting":    {run: declareTier, reported: tierReported},
	"ssm:UpdateServiceSetting": {run: declareTier, reported: tierReported},
	"ssm:ResetServiceSetting":  {run: deleteTier, reported: tierReported},

	"ssm:ListDocuments": {run: declareDocument, reported: readOneByOne},
}

// inFile has the scenarios of actions that several documents allow, where another
// document needs it for something else.
var inFile = map[string]need{
	"sessions ssm:DescribeDocument": {run: grantDocumentByName, reported: accessReported},
	// Default host management may stand in for the profile.
	"reachability ssm:GetServiceSetting":   {run: lookWithoutProfile, reported: accessReported, fixture: scenario.BothStacks},
	"tier ssm:DescribeInstanceInformation": {run: declareTier, reported: tierReported},
}

// Each document is attached with the operator's own and what its scenarios need, and
// no other, so that none makes up for what another one lacks.
func TestEveryActionOfTheRecommendedPoliciesIsNeeded(t *testing.T) {
	files, err := scenario.Cluster(t).OperatorPolicies()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		actions, err := scenario.Cluster(t).PolicyActions(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, actions...)
		for _, action := range actions {
			kind := strings.TrimSuffix(file, "-policy.json")
			n, ok := inFile[kind+" "+action]
			if file == reachabilityPolicy && !ok {
				if scenario.ReachabilityActions[action] == "" {
					t.Errorf("%s allows %s, and no look at nodes needs it: add a row to scenario.ReachabilityActions, or take it out", file, action)
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
				n.isReported(t, action, testenv.Options{Policies: with(file), Withheld: []string{action}})
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

// isReported runs the scenario where an action is withheld.
func (n need) isReported(t *testing.T, action string, o testenv.Options) {
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
	n.reported(w, named)
}

// lookWithoutProfile looks at a node that has no instance profile.
func lookWithoutProfile(w world) {
	for _, cause := range []stack.Cause{stack.NoInstanceProfile, stack.AgentOffline} {
		_, err := w.Emulator.Break(scenario.AccountID, scenario.Region, fixtures.S7Node, cause)
		w.Must(err)
	}
	w.Emulator.Advance(scenario.ResyncAfter)
	w.Create(scenario.Account(), scenario.Access("one", "user01", fixtures.S7Node))
}

func grantDocumentByName(w world) {
	one := scenario.Access("one", "user01", scenario.PC01)
	one.Spec.Documents = []v1alpha1.DocumentReference{{Name: "Shell"}}
	w.Create(scenario.Account(), one)
}

// config/iam/README.md: without sessions-policy.json access is granted, and a
// revocation waits after the permission is gone, save where the account says that
// it need not.
func TestTheOperatorPolicyAloneGivesAndTakesAccess(t *testing.T) {
	w := worldOf(t, testenv.Options{Fixture: permissionFixture(), Policies: []string{operatorPolicy}})
	w.Manager(t, testenv.ManagerOptions{})
	changes(6)(w)
	one := w.AwaitAccess(scenario.Access("one", "user01", scenario.PC01), v1alpha1.ReasonGranted)
	if !w.MayOpen("user01", scenario.PC01) {
		t.Error("access was granted, and is not there")
	}
	scenario.Change(w.World, one, func(a *v1alpha1.SessionAccess) { a.Spec.OnRevoke = v1alpha1.RevokeTerminateSessions })
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.Must(w.Client.Delete(t.Context(), one))
	accessReported(w, "ssm:DescribeSessions")
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
	scenario.Change(w.World, scenario.Account(), func(a *v1alpha1.AWSAccount) { a.Spec.SessionTermination = v1alpha1.TerminationBestEffort })
	_, err := testenv.WaitFor(t.Context(), w.Client, scenario.Account(), func(a *v1alpha1.AWSAccount) bool {
		return a.Spec.SessionTermination == v1alpha1.TerminationBestEffort && a.Status.ObservedGeneration == a.Generation
	})
	w.Must(err)
	w.Advance(scenario.Window, one)
	w.Must(testenv.WaitGone(t.Context(), w.Client, one))
	w.onlyRefusedWithout(operatorPolicy)
}

// onlyRefusedWithout checks that the operator was refused nothing that the documents
// which it has allow.
func (w world) onlyRefusedWithout(files ...string) {
	w.T.Helper()
	for _, file := range files {
		actions, err := scenario.Cluster(w.T).PolicyActions(file)
		w.Must(err)
		for _, call := range w.Emulator.CallLog(0) {
			if refused := strings.HasPrefix(call.Code, "AccessDenied") || call.Code == "UnauthorizedOperation"; refused && slices.Contains(actions, call.Action()) {
				w.T.Errorf("the operator was refused %s, which %s should allow", call.Action(), file)
			}
		}
	}
}

// everyKind has an object of each kind come, change and go, with open sessions, in an
// account that is declared in some way.
func everyKind(w world, declared ...func(*v1alpha1.AWSAccount)) {
	w.T.Helper()
	main := scenario.Account(append(declared, scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}, ShareWith: []v1alpha1.ShareTarget{scenario.Sharee, scenario.Organization}}), scenario.AllowActivations())...)
	doc, tier := neededDocument(), scenario.AccountTier(v1alpha1.TierAdvanced)
	site := scenario.Activation("one", func(s *v1alpha1.HybridActivationSpec) { s.NodeDeletionPolicy = v1alpha1.NodesDeregister })
	one, two := scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user02", hybrid)
	w.Create(main, doc, tier, site, one, two)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.AwaitActivation(site, v1alpha1.ReasonActivated)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.AwaitAccess(two, v1alpha1.ReasonGranted)
	w.RegisterMachine(w.Secret("one"))
	sessions := []string{w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user02"), hybrid)}
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) {
		for _, edit := range []func(world, *v1alpha1.SessionDocumentSpec){newText, noTags, newShare, newKey, newBucket, newGroup} {
			edit(w, &d.Spec)
		}
	})
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	gone := []client.Object{doc, tier, site, one, two}
	for _, obj := range gone {
		w.Must(w.Client.Delete(w.T.Context(), obj))
	}
	for _, id := range sessions {
		w.AwaitSessionEnd(id)
	}
	w.Advance(scenario.Window, one, two, site, tier)
	for _, obj := range gone {
		w.Must(testenv.WaitGone(w.T.Context(), w.Client, obj))
	}
}

// Without the optional reachability-policy.json, the operator does not check nodes.
// Everything else works as it does with the policy.
func TestTheOperatorWorksWithoutTheReachabilityPolicy(t *testing.T) {
	files, err := scenario.Cluster(t).OperatorPolicies()
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
	w.ExpectNoRefusedCall()
}

// What the boundary does not name is missing, whatever the policies allow.
func TestWhatIsTakenOutOfTheBoundaryIsMissed(t *testing.T) {
	for _, action := range []string{
		"iam:AttachUserPolicy", "iam:CreatePolicy", "iam:PassRole", "ssm:CreateActivation", "ssm:CreateDocument", "ssm:TerminateSession", "ssm:UpdateServiceSetting",
	} {
		t.Run(strings.ReplaceAll(action, ":", " "), func(t *testing.T) {
			needs[action].isReported(t, action, testenv.Options{Boundary: true, WithheldByBoundary: []string{action}})
		})
	}
}

func permissionFixture() *fixtures.Fixture {
	f := fixtures.S1()
	first := &f.Accounts[0]
	first.Groups = append(first.Groups, fixtures.Group{Name: "operators"})
	in := first.Regions[scenario.Region]
	in.ManagedNodes = append(in.ManagedNodes, fixtures.ManagedNode{ID: hybrid, Agent: fixtures.Agent{PlatformType: "Linux"}})
	first.Regions[scenario.Region] = in
	return f
}

func declareAccount(w world) { w.Create(scenario.Account()) }

func grantTo(kind v1alpha1.PrincipalKind, name string) func(w world) {
	return func(w world) {
		grant := scenario.Access("one", "", scenario.PC01)
		grant.Spec.Principals = []v1alpha1.Principal{{Kind: kind, Name: name}}
		grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions // A narrowing is done at once then.
		w.Create(scenario.Account(), grant)
	}
}

// changes widens a grant a number of times, each to be written.
func changes(n int) func(w world) {
	return func(w world) {
		grantTo(v1alpha1.PrincipalUser, "user01")(w)
		one := scenario.Access("one", "user01", scenario.PC01)
		for i := range n {
			w.AwaitAccess(one, v1alpha1.ReasonGranted)
			w.retarget(one, i)
		}
	}
}

// retarget changes the nodes of a grant, back and forth.
func (w world) retarget(one *v1alpha1.SessionAccess, i int) {
	w.T.Helper()
	ids := []v1alpha1.InstanceID{scenario.PC01, scenario.PC02}
	scenario.Change(w.World, one, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = ids[:2-i%2] })
}

// changeAfterStranger changes a policy whose versions a foreign client has used up.
func changeAfterStranger(w world) {
	grantTo(v1alpha1.PrincipalUser, "user01")(w)
	one := w.AwaitAccess(scenario.Access("one", "user01", scenario.PC01), v1alpha1.ReasonGranted)
	admin, arn, document := awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin"))), w.OwnedPolicies()[0].ARN, scenario.AllowAllOfSSM
	for range 4 {
		_, err := admin.CreatePolicyVersion(w.T.Context(), &awsiam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &document})
		w.Must(err)
	}
	w.retarget(one, 0)
}

// changeOfWhatIAMDoesNotShow changes a policy that IAM says once does not exist.
func changeOfWhatIAMDoesNotShow(w world) {
	grantTo(v1alpha1.PrincipalUser, "user01")(w)
	one := w.AwaitAccess(scenario.Access("one", "user01", scenario.PC01), v1alpha1.ReasonGranted)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Error, Code: "NoSuchEntity", Status: 404, Action: "iam:CreatePolicyVersion", Count: 1})
	w.Must(err)
	w.retarget(one, 0)
}

func revokeFrom(kind v1alpha1.PrincipalKind, name string) func(w world) {
	return func(w world) {
		grantTo(kind, name)(w)
		one := w.AwaitAccess(scenario.Access("one", "", scenario.PC01), v1alpha1.ReasonGranted)
		w.Must(w.Client.Delete(w.T.Context(), one))
	}
}

// revokeWithSession ends access to a node whose tags decide about its sessions.
func revokeWithSession(node string) func(w world) {
	guarded := func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{scenario.Excluding("nodes", scenario.ExcludedTag("Env", "prod"))}
	}
	return func(w world) {
		w.Create(scenario.Account(guarded), scenario.Access("one", "user01", node))
		one := w.AwaitAccess(scenario.Access("one", "user01", node), v1alpha1.ReasonGranted)
		w.OpenSession(scenario.UserARN("user01"), node)
		w.Must(w.Client.Delete(w.T.Context(), one))
	}
}

func declareActivation(w world) {
	w.Create(scenario.Account(scenario.AllowActivations()), scenario.Activation("one"))
}

// deleteActivation deletes an activation with which a machine has registered.
func deleteActivation(w world) {
	one := scenario.Activation("one", func(s *v1alpha1.HybridActivationSpec) { s.NodeDeletionPolicy = v1alpha1.NodesDeregister })
	w.CreateActivation(one, scenario.Account(scenario.AllowActivations()))
	w.RegisterMachine(w.Secret("one"))
	w.Must(w.Client.Delete(w.T.Context(), one))
}

func declareTier(w world) { w.Create(scenario.Account(), scenario.AccountTier(v1alpha1.TierAdvanced)) }

// deleteTier has the tier put back to what it was.
func deleteTier(w world) {
	declareTier(w)
	w.DeleteTier(w.AwaitTier(scenario.AccountTier(v1alpha1.TierAdvanced), v1alpha1.ReasonTierInForce))
}

// readOneByOne waits until a resync asks for each document: the operator continues
// without the list of all, at a cost.
func readOneByOne(w world, _ string) {
	w.T.Helper()
	w.AwaitDocument(neededDocument(), v1alpha1.ReasonInPlace)
	seen := w.LastCall()
	w.Advance(scenario.ResyncAfter, scenario.Account())
	_, err := w.WaitCall(w.T.Context(), seen, func(c calls.Call) bool { return c.Operation == "DescribeDocument" })
	w.Must(err)
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

func accountReported(w world, action string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, scenario.Account(), func(a *v1alpha1.AWSAccount) bool { return names(a.Status.Conditions, action) })
	w.Must(err)
}

func accessReported(w world, action string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, scenario.Access("one", ""), func(a *v1alpha1.SessionAccess) bool { return names(a.Status.Conditions, action) })
	w.Must(err)
}

func activationReported(w world, action string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, scenario.Activation("one"), func(a *v1alpha1.HybridActivation) bool { return names(a.Status.Conditions, action) })
	w.Must(err)
}

func tierReported(w world, action string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, scenario.AccountTier(""), func(a *v1alpha1.AccountTier) bool { return names(a.Status.Conditions, action) })
	w.Must(err)
}
