package controllers_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const (
	// elsewhere is a second region.
	elsewhere = "us-east-1"
	// logged is the name of the documents of these tests.
	logged = "SessionManager-Logged"
	uidTag = "ssm-access.dev/uid"
	// sharee is an account that documents are shared with.
	sharee = "111122223333"
)

// newDocumentsWorld starts an operator that may keep documents. before changes
// what AWS holds.
func newDocumentsWorld(t *testing.T, o testenv.ManagerOptions, before ...func(*fixtures.Account)) world {
	t.Helper()
	w := worldOfDocuments(t, before...)
	w.Manager(t, o)
	return w
}

// worldOfDocuments is that without an operator.
func worldOfDocuments(t *testing.T, before ...func(*fixtures.Account)) world {
	t.Helper()
	f := fixtures.S1()
	for _, change := range before {
		change(&f.Accounts[0])
	}
	w := worldOf(t, testenv.Options{Fixture: f})
	t.Cleanup(w.nothingWasMissing)
	return w
}

// allowing is a guardrail for documents.
func allowing(rule v1alpha1.DocumentRule) func(*v1alpha1.AWSAccount) {
	return func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = append(a.Spec.Guardrails, v1alpha1.Guardrail{
			Name: fmt.Sprintf("documents-%d", len(a.Spec.Guardrails)), NamespaceSelector: &metav1.LabelSelector{}, SessionDocuments: &rule,
		})
	}
}

func sessionDocument(change ...func(*v1alpha1.SessionDocumentSpec)) *v1alpha1.SessionDocument {
	d := &v1alpha1.SessionDocument{
		ObjectMeta: metav1.ObjectMeta{Name: "logged", Namespace: team},
		Spec: v1alpha1.SessionDocumentSpec{
			AccountRef: v1alpha1.AccountReference{Name: "main"}, Name: logged, Regions: []v1alpha1.Region{region},
			Inputs: &v1alpha1.SessionInputs{ShellProfile: &v1alpha1.ShellProfile{Linux: "date"}},
		},
	}
	for _, c := range change {
		c(&d.Spec)
	}
	return d
}

// documentIs waits until Ready of a SessionDocument has a reason for the present
// generation.
func (w world) documentIs(obj *v1alpha1.SessionDocument, reason string) *v1alpha1.SessionDocument {
	w.t.Helper()
	return w.documentWhen(obj, func(d *v1alpha1.SessionDocument) bool {
		return condition(d.Status.Conditions, v1alpha1.ConditionReady).Reason == reason
	})
}

func (w world) documentWhen(obj *v1alpha1.SessionDocument, holds func(*v1alpha1.SessionDocument) bool) *v1alpha1.SessionDocument {
	w.t.Helper()
	got, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(d *v1alpha1.SessionDocument) bool {
		return d.Status.ObservedGeneration == d.Generation && d.Generation >= obj.Generation && holds(d)
	})
	w.must(err)
	return got
}

func readyOf(d *v1alpha1.SessionDocument) metav1.Condition {
	return condition(d.Status.Conditions, v1alpha1.ConditionReady)
}

func (w world) ssmIn(region string) *ssm.Region {
	return w.Emulator.Account(accountID).Region(region).SSM
}

// inAWS is the document as AWS holds it; nil when it holds none.
func (w world) inAWS(name string) *ssm.Document { return w.inAWSIn(region, name) }

func (w world) inAWSIn(region, name string) *ssm.Document {
	d, ok := w.ssmIn(region).Document(name)
	if !ok {
		return nil
	}
	return d
}

// content is what the default version of a document says.
func content(t *testing.T, d *ssm.Document) map[string]any {
	t.Helper()
	if d == nil {
		t.Fatal("there is no such document")
	}
	v, _ := d.Version(d.Default)
	var fields map[string]any
	if err := json.Unmarshal([]byte(v.Content), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

// inputsOf are the inputs of the default version.
func inputsOf(t *testing.T, d *ssm.Document) map[string]any {
	t.Helper()
	inputs, _ := content(t, d)["inputs"].(map[string]any)
	return inputs
}

// admin is a client without restrictions.
func (w world) admin() *awsssm.Client {
	return awsssm.NewFromConfig(w.AWSConfig(w.Credentials("admin")))
}

// goneFromAWS checks that AWS holds no document of that name.
func (w world) goneFromAWS(name string) {
	w.t.Helper()
	if d := w.inAWS(name); d != nil {
		w.t.Errorf("document %s is still there: %+v", name, d)
	}
}

// gone deletes an object and waits until it is gone.
func (w world) deleteAndWait(obj *v1alpha1.SessionDocument) {
	w.t.Helper()
	w.must(w.Client.Delete(w.t.Context(), obj))
	w.must(testenv.WaitGone(w.t.Context(), w.Client, obj))
}

// documentCalls counts the operator's calls about documents since a number, by
// operation.
func (w world) documentCalls(since int) map[string]int {
	counts := map[string]int{}
	for _, call := range w.Emulator.CallLog(since) {
		if call.Service == "ssm" && call.Caller == user("ssm-access-operator") && call.Operation != "DescribeSessions" && call.Operation != "DescribeActivations" {
			counts[call.Operation]++
		}
	}
	return counts
}

// untilCall waits for a call of an operation by the operator after a number.
func (w world) untilCall(since int, operation string) {
	w.t.Helper()
	_, err := w.WaitCall(w.t.Context(), since, func(c calls.Call) bool {
		return c.Operation == operation && c.Caller == user("ssm-access-operator")
	})
	w.must(err)
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// foreign is a document that another client made.
func foreign(name string, versions ...string) func(*fixtures.Account) {
	return func(a *fixtures.Account) {
		d := fixtures.Document{Name: name, Tags: map[string]string{"team": "others"}}
		for _, bucket := range versions {
			d.Versions = append(d.Versions, fixtures.DocumentVersion{Content: json.RawMessage(foreignContent(bucket))})
		}
		r := a.Regions[region]
		r.Documents = append(r.Documents, d)
		a.Regions[region] = r
	}
}

func foreignContent(bucket string) string {
	return `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"` + bucket + `"}}`
}

// rewrite makes a new default version of a document, as a user of the console would.
func (w world) rewrite(name, content string) {
	w.t.Helper()
	admin, ctx := w.admin(), w.t.Context()
	out, err := admin.UpdateDocument(ctx, &awsssm.UpdateDocumentInput{Name: &name, Content: &content, DocumentVersion: aws.String("$LATEST")})
	w.must(err)
	_, err = admin.UpdateDocumentDefaultVersion(ctx, &awsssm.UpdateDocumentDefaultVersionInput{Name: &name, DocumentVersion: out.DocumentDescription.DocumentVersion})
	w.must(err)
}
