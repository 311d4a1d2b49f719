package ssm

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/moto"
)

const (
	testDocument = "SessionManager-Logged"
	contentA     = `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"a"}}`
	contentB     = `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"b"}}`
)

// walkDocument takes a document through its life. whole leaves out what moto does
// not know.
func walkDocument(t *testing.T, region Region, whole bool) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := region.Document(ctx, testDocument, LatestVersion); ok || err != nil {
		t.Fatalf("before it is made: %v, %v", ok, err)
	}
	must(region.CreateSessionDocument(ctx, testDocument, contentA, map[string]string{"a": "1", "b": "2"}))
	if err := region.CreateSessionDocument(ctx, testDocument, contentB, nil); !IsDocumentExists(err) {
		t.Errorf("made twice: %v", err)
	}
	version, err := region.AddDocumentVersion(ctx, testDocument, contentB)
	must(err)
	if _, err := region.AddDocumentVersion(ctx, testDocument, contentB); !IsDuplicateContent(err) {
		t.Errorf("the same content twice: %v", err)
	}
	latest, ok, err := region.Document(ctx, testDocument, LatestVersion)
	must(err)
	if !ok || version != 2 || latest.Version != 2 || latest.Default != 1 || latest.Latest != 2 ||
		latest.Type != SessionDocumentType || latest.Status != DocumentActive || latest.Hash == "" {
		t.Errorf("version %d, described as %+v", version, latest)
	}
	must(region.SetDefaultDocumentVersion(ctx, testDocument, 2))
	if err := region.SetDefaultDocumentVersion(ctx, testDocument, 7); whole && !IsNoDocumentVersion(err) {
		t.Errorf("a default that does not exist: %v", err)
	}
	must(region.TagDocument(ctx, testDocument, map[string]string{"c": "3"}))
	must(region.UntagDocument(ctx, testDocument, []string{"a", "none"}))
	content, err := region.DocumentContent(ctx, testDocument, 1)
	must(err)
	if content != contentA {
		t.Errorf("version 1 is %s", content)
	}
	listed, err := region.SessionDocuments(ctx)
	must(err)
	if d := listed[testDocument]; len(listed) != 1 || d.Default != 2 || (whole && d.Created.IsZero()) || !maps.Equal(d.Tags, map[string]string{"b": "2", "c": "3"}) {
		t.Errorf("listed are %+v", listed)
	}
	versions, err := region.DocumentVersions(ctx, testDocument)
	if whole {
		must(err)
	}
	if whole && (len(versions) != 2 || !slices.ContainsFunc(versions, func(v DocumentVersion) bool { return v.Number == 2 && v.Default })) {
		t.Errorf("the versions are %+v", versions)
	}
	must(region.ShareDocument(ctx, testDocument, []string{"111122223333", "444455556666"}))
	must(region.UnshareDocument(ctx, testDocument, []string{"444455556666", "777788889999"}))
	shares, err := region.DocumentShares(ctx, testDocument)
	must(err)
	if !slices.Equal(shares, []string{"111122223333"}) {
		t.Errorf("shared with %v", shares)
	}
	must(region.UnshareDocument(ctx, testDocument, shares))
	must(region.DeleteDocumentVersion(ctx, testDocument, 1))
	must(region.DeleteDocument(ctx, testDocument))
	must(region.DeleteDocument(ctx, testDocument))
	must(region.DeleteDocumentVersion(ctx, testDocument, 1))
	if _, ok, err := region.Document(ctx, testDocument, LatestVersion); ok || err != nil {
		t.Errorf("after it was deleted: %v, %v", ok, err)
	}
}

func TestADocumentLivesAndGoes(t *testing.T) {
	walkDocument(t, newWorldOf(t, emulated.Fixture()).region, true)
}

func TestADocumentLivesAndGoesAgainstMoto(t *testing.T) {
	t.Parallel()
	base := aws.Config{
		Region: testRegion, BaseEndpoint: aws.String(moto.Start(t)),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAMOTO", "secret", ""),
		HTTPClient:  &http.Client{},
	}
	account := awsclient.NewPool(awsclient.Options{Base: base, OwnerID: testOwner, Rate: 1000, Burst: 1000}).
		Account(awsclient.Config{AccountID: moto.AccountID, Region: testRegion})
	walkDocument(t, In(account, testRegion), false)
}

func TestSharesGoInTwenties(t *testing.T) {
	w := newWorldOf(t, emulated.Fixture())
	w.must(w.region.CreateSessionDocument(t.Context(), testDocument, contentA, nil))
	var accounts []string
	for i := range 45 {
		accounts = append(accounts, "1111222233"+string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	w.Operations()
	w.must(w.region.ShareDocument(t.Context(), testDocument, accounts))
	w.wantCalls("ModifyDocumentPermission", "ModifyDocumentPermission", "ModifyDocumentPermission")
	shares, err := w.region.DocumentShares(t.Context(), testDocument)
	w.must(err)
	if slices.Sort(shares); !slices.Equal(shares, accounts) {
		t.Errorf("shared with %v", shares)
	}
}

func TestEveryDocumentIsListed(t *testing.T) {
	w := newWorldOf(t, emulated.Fixture())
	w.aws.SetShortPages(0.5)
	for i := range 60 {
		w.must(w.region.CreateSessionDocument(t.Context(), "document-"+string(rune('0'+i/10))+string(rune('0'+i%10)), contentA, nil))
	}
	listed, err := w.region.SessionDocuments(t.Context())
	w.must(err)
	if len(listed) != 60 {
		t.Errorf("%d documents are listed", len(listed))
	}
}

func TestQuotasOfDocumentsAreToldAsSuch(t *testing.T) {
	w := newWorldOf(t, emulated.Fixture())
	w.must(w.region.CreateSessionDocument(t.Context(), testDocument, contentA, nil))
	_, err := w.aws.Inject(faults.Fault{Kind: faults.Error, Action: "ssm:UpdateDocument", Code: "DocumentVersionLimitExceeded", Message: "x"})
	w.must(err)
	_, err = w.region.AddDocumentVersion(t.Context(), testDocument, contentB)
	if !IsTooManyVersions(err) {
		t.Errorf("the error is %v", err)
	}
	const want = `ssm:UpdateDocument (DocumentVersionLimitExceeded) for updating document "SessionManager-Logged" in ap-northeast-1 would exceed a quota of the account: have the quota raised or declare less.`
	if got := awserr.UserMessage(err); got != want {
		t.Errorf("the sentence is\n%s\nwant\n%s", got, want)
	}
}
