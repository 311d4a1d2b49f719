package declared_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/declared"
	"github.com/ssm-access-operator/ssm-access-operator/internal/manifest"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }

const namespace = `apiVersion: v1
kind: Namespace
metadata: {name: team-a, labels: {team: a}}
---
`

const account = `apiVersion: ssm-access.dev/v1alpha1
kind: AWSAccount
metadata: {name: main}
spec:
  accountID: "488821267897"
  regions: [ap-northeast-1]
  allowedNamespaces: {from: Selector, selector: {matchLabels: {team: a}}}
---
`

var installation = declared.Installation{
	OwnerID: testenv.DefaultOwner, Partition: "aws", Quotas: policy.Quotas{PolicySize: 6144, Policies: 10},
}

// render returns the documents by the name of the policy, and what is refused.
func render(t *testing.T, objects []*manifest.Object) (documents map[string]string, refusals []*manifest.Problem, unknown []string) {
	t.Helper()
	schemas, err := manifest.Load()
	if err != nil {
		t.Fatal(err)
	}
	valid, problems := schemas.ValidateAll(t.Context(), &manifest.Content{Objects: objects}, &manifest.Content{}, "default")
	for _, p := range problems {
		t.Fatal(p)
	}
	world, twice := declared.New(valid)
	resolved := world.Resolve(admission.DocumentKeys{})
	policies, refused := world.Policies(resolved.Granted, installation, time.Now())
	documents = map[string]string{}
	for _, p := range policies {
		for _, written := range p.Policies {
			documents[written.Name] = written.Document
		}
	}
	return documents, append(append(twice, resolved.Refusals...), refused...), resolved.Unknown
}

// manifestsOf are objects as they would stand in files.
func manifestsOf(t *testing.T, w scenario.World, objects ...client.Object) []*manifest.Object {
	t.Helper()
	all := read(t, namespace)
	for _, obj := range objects {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
		w.Must(err)
		gvk, err := apiutil.GVKForObject(obj, w.Client.Scheme())
		w.Must(err)
		o := &manifest.Object{Unstructured: &unstructured.Unstructured{Object: fields}, File: obj.GetName()}
		o.SetGroupVersionKind(gvk)
		all = append(all, o)
	}
	return all
}

func read(t *testing.T, text string) []*manifest.Object {
	t.Helper()
	content, err := manifest.Read([]string{manifest.Stdin}, strings.NewReader(text))
	if err != nil || len(content.Problems) > 0 {
		t.Fatal(err, content.Problems)
	}
	return content.Objects
}

func TestWhatIsRenderedIsWhatTheOperatorWrites(t *testing.T) {
	w := scenario.New(t, testenv.ManagerOptions{})
	limited := scenario.Access("limited", "user01", scenario.PC01, scenario.PC02)
	limited.Spec.RequireMFA = true
	limited.Spec.SourceCIDRs = []v1alpha1.CIDR{"203.0.113.64/26", "2001:db8::/32"}
	limited.Spec.SessionScope = v1alpha1.ScopeOwnerTag
	tagged := scenario.Access("tagged", "user01")
	tagged.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg", "Name": "${x}*"}}}
	tagged.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}, {Ref: &v1alpha1.LocalReference{Name: "shell"}}}
	other := scenario.Access("other", "user02", scenario.PC02)
	document := &v1alpha1.SessionDocument{}
	document.Name, document.Namespace = "shell", scenario.Team
	document.Spec.AccountRef.Name = "main"
	main := scenario.Account(func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{scenario.Excluding("no-prod", scenario.ExcludedTag("Env", "prod"))}
	})
	objects := []client.Object{main, document, limited, tagged, other}
	manifests := manifestsOf(t, w, objects...)
	w.Create(objects...)
	for _, access := range []*v1alpha1.SessionAccess{limited, tagged, other} {
		w.AwaitAccess(access, v1alpha1.ReasonGranted)
	}
	want := map[string]string{}
	for _, p := range w.IAM().Latest().Export().Policies {
		if strings.HasPrefix(p.Path, "/ssm-access/") {
			want[p.Name] = p.Document
		}
	}
	got, refusals, _ := render(t, manifests)
	for _, refusal := range refusals {
		t.Error(refusal)
	}
	if !maps.Equal(got, want) || len(got) != 2 {
		t.Errorf("rendered\n%s\nand the operator wrote\n%s", list(got), list(want))
	}
}

func list(documents map[string]string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		fmt.Fprintf(&text, "%s %s\n", name, documents[name])
	}
	return text.String()
}

func TestWhatTheOperatorRefusesIsNamedWithItsReason(t *testing.T) {
	const access = `apiVersion: ssm-access.dev/v1alpha1
kind: SessionAccess
metadata: {name: %s, namespace: %s}
spec:
  accountRef: {name: %s}
  principals: [{kind: User, name: user01}]
  targets: [{tags: {Env: stg}}]
  %s
---
`
	document := "documents: [{ref: {name: none}}]"
	for name, c := range map[string]struct{ text, reason, says string }{
		"an account that is not there":       {namespace + fmt.Sprintf(access, "a", "team-a", "main", ""), v1alpha1.ReasonAccountNotFound, "main"},
		"a namespace without the label":      {account + fmt.Sprintf(access, "a", "team-b", "main", ""), v1alpha1.ReasonNamespaceNotAllowed, "team-b"},
		"a region that the account lacks":    {namespace + account + fmt.Sprintf(access, "a", "team-a", "main", "regions: [eu-west-1]"), v1alpha1.ReasonRegionNotAllowed, "eu-west-1"},
		"a document that does not exist":     {namespace + account + fmt.Sprintf(access, "a", "team-a", "main", document), v1alpha1.ReasonReferenceNotResolved, "none"},
		"a suspended access":                 {namespace + account + fmt.Sprintf(access, "a", "team-a", "main", "suspend: true"), v1alpha1.ReasonSuspended, "spec.suspend"},
		"an object that is declared twice":   {namespace + account + strings.Repeat(fmt.Sprintf(access, "a", "team-a", "main", ""), 2), "", "declared in -:13 too"},
		"two AWSAccounts of one AWS account": {namespace + account + strings.Replace(account, "main", "second", 1) + fmt.Sprintf(access, "a", "team-a", "second", ""), v1alpha1.ReasonConflict, "second"},
	} {
		t.Run(name, func(t *testing.T) {
			_, refusals, _ := render(t, read(t, c.text))
			if len(refusals) != 1 || refusals[0].Reason != c.reason || !strings.Contains(refusals[0].Message, c.says) {
				t.Errorf("the refusals are %v, want %s with %q", refusals, c.reason, c.says)
			}
		})
	}
}

func TestWhatOnlyTheClusterOrAWSKnowsIsNamed(t *testing.T) {
	_, refusals, unknown := render(t, read(t, namespace+strings.Replace(account, "---", `  guardrails:
  - name: machines
    namespaceSelector: {}
    activations: {roles: [SSMRole], maxRegistrations: 10}
---`, 1)+`apiVersion: ssm-access.dev/v1alpha1
kind: HybridActivation
metadata: {name: factory, namespace: team-a}
spec: {accountRef: {name: main}, region: ap-northeast-1, role: SSMRole, registrationLimit: 5}
---
apiVersion: ssm-access.dev/v1alpha1
kind: SessionAccess
metadata: {name: a, namespace: team-a}
spec:
  accountRef: {name: main}
  principals: [{kind: User, name: user01}]
  targets: [{activationRef: {name: factory}}]
  documents: [{name: Mine}]
`))
	for _, refusal := range refusals {
		t.Error(refusal)
	}
	if len(unknown) != 2 || !strings.Contains(unknown[0], `document "Mine"`) || !strings.Contains(unknown[1], "HybridActivation team-a/factory") {
		t.Errorf("unknown is %q, want the key of the document and the UID of the activation", unknown)
	}
}
