package scenario

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const (
	// LoggedDocument is the name of the documents of these tests.
	LoggedDocument = "SessionManager-Logged"
	// UIDTag is the tag of a document in AWS that names the UID of its object.
	UIDTag = "ssm-access.dev/uid"
	// Sharee is an account that documents are shared with.
	Sharee = "111122223333"
	// Organization is an organization that documents are shared with.
	Organization = "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"
	// Unit is a unit of it.
	Unit = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-cdef3456"
)

// NewForDocuments starts an operator that may keep documents. before changes
// what AWS holds.
func NewForDocuments(t *testing.T, o testenv.ManagerOptions, before ...func(*fixtures.Account)) World {
	t.Helper()
	w := NewForDocumentsWithoutManager(t, before...)
	w.Manager(t, o)
	return w
}

// NewForDocumentsWithoutManager is that without an operator.
func NewForDocumentsWithoutManager(t *testing.T, before ...func(*fixtures.Account)) World {
	t.Helper()
	f := fixtures.S1()
	for _, change := range before {
		change(&f.Accounts[0])
	}
	w := NewWith(t, testenv.Options{Fixture: f})
	t.Cleanup(w.ExpectNoRefusedCall)
	return w
}

// AllowDocuments is a guardrail for documents.
func AllowDocuments(rule v1alpha1.DocumentRule) func(*v1alpha1.AWSAccount) {
	return func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = append(a.Spec.Guardrails, v1alpha1.Guardrail{
			Name: fmt.Sprintf("documents-%d", len(a.Spec.Guardrails)), NamespaceSelector: &metav1.LabelSelector{}, SessionDocuments: &rule,
		})
	}
}

// SessionDocument is a SessionDocument in Team, in the tests' region.
func SessionDocument(change ...func(*v1alpha1.SessionDocumentSpec)) *v1alpha1.SessionDocument {
	d := &v1alpha1.SessionDocument{
		ObjectMeta: metav1.ObjectMeta{Name: "logged", Namespace: Team},
		Spec: v1alpha1.SessionDocumentSpec{
			AccountRef: v1alpha1.AccountReference{Name: "main"}, Name: LoggedDocument, Regions: []v1alpha1.Region{Region},
			Inputs: &v1alpha1.SessionInputs{ShellProfile: &v1alpha1.ShellProfile{Linux: "date"}},
		},
	}
	for _, c := range change {
		c(&d.Spec)
	}
	return d
}

// AwaitDocument waits until Ready of a SessionDocument has a reason for the present
// generation.
func (w World) AwaitDocument(obj *v1alpha1.SessionDocument, reason string) *v1alpha1.SessionDocument {
	w.T.Helper()
	return w.AwaitDocumentThat(obj, func(d *v1alpha1.SessionDocument) bool {
		return Condition(d.Status.Conditions, v1alpha1.ConditionReady).Reason == reason
	})
}

// AwaitDocumentThat waits until something holds of a SessionDocument whose present
// generation was observed.
func (w World) AwaitDocumentThat(obj *v1alpha1.SessionDocument, holds func(*v1alpha1.SessionDocument) bool) *v1alpha1.SessionDocument {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(d *v1alpha1.SessionDocument) bool {
		return d.Status.ObservedGeneration == d.Generation && d.Generation >= obj.Generation && holds(d)
	})
	w.Must(err)
	return got
}

// ReadyOf is the condition Ready of a SessionDocument.
func ReadyOf(d *v1alpha1.SessionDocument) metav1.Condition {
	return Condition(d.Status.Conditions, v1alpha1.ConditionReady)
}

// SSMIn is the emulated Systems Manager of a region.
func (w World) SSMIn(region string) *ssm.Region {
	return w.Emulator.Account(AccountID).Region(region).SSM
}

// DocumentInAWS is the document as AWS holds it; nil when it holds none.
func (w World) DocumentInAWS(name string) *ssm.Document { return w.DocumentIn(Region, name) }

// DocumentIn is the document as AWS holds it in a region; nil when it holds none.
func (w World) DocumentIn(region, name string) *ssm.Document {
	d, ok := w.SSMIn(region).Document(name)
	if !ok {
		return nil
	}
	return d
}

// AdminSSM is a client without restrictions.
func (w World) AdminSSM() *awsssm.Client {
	return awsssm.NewFromConfig(w.AWSConfig(w.Credentials("admin")))
}

// ExpectEqual checks that two values are deeply equal.
func ExpectEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// ForeignContent is the content of a document that another client made.
func ForeignContent(bucket string) string {
	return `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"` + bucket + `"}}`
}

// RewriteDocument makes a new default version of a document, as a user of the console would.
func (w World) RewriteDocument(name, content string) {
	w.T.Helper()
	admin, ctx := w.AdminSSM(), w.T.Context()
	out, err := admin.UpdateDocument(ctx, &awsssm.UpdateDocumentInput{Name: &name, Content: &content, DocumentVersion: aws.String("$LATEST")})
	w.Must(err)
	_, err = admin.UpdateDocumentDefaultVersion(ctx, &awsssm.UpdateDocumentDefaultVersionInput{Name: &name, DocumentVersion: out.DocumentDescription.DocumentVersion})
	w.Must(err)
}

// AllowSharing is a guardrail that lets documents be shared with Sharee.
var AllowSharing = AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{Sharee}})

// SharedWithSharee shares a document with Sharee.
func SharedWithSharee(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{Sharee} }

// IsSharedIn reports whether a document of a region is shared.
func (w World) IsSharedIn(region string) bool {
	w.T.Helper()
	d := w.DocumentIn(region, LoggedDocument)
	if d == nil {
		w.T.Fatalf("there is no document in %s", region)
	}
	_, is := d.Shares[Sharee]
	return is
}
