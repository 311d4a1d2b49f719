package cloud

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/moto"
)

const (
	testDocument = "SessionManager-Logged"
	contentA     = `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"a"}}`
	contentB     = `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"b"}}`
)

// walkDocument takes a document through its life. whole leaves out what moto does
// not know.
func walkDocument(t *testing.T, account *Account, region string, whole bool) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := account.Document(ctx, region, testDocument, LatestVersion); ok || err != nil {
		t.Fatalf("before it is made: %v, %v", ok, err)
	}
	must(account.CreateSessionDocument(ctx, region, testDocument, contentA, map[string]string{"a": "1", "b": "2"}))
	if err := account.CreateSessionDocument(ctx, region, testDocument, contentB, nil); !DocumentExists(err) {
		t.Errorf("made twice: %v", err)
	}
	version, err := account.AddDocumentVersion(ctx, region, testDocument, contentB)
	must(err)
	if _, err := account.AddDocumentVersion(ctx, region, testDocument, contentB); !DuplicateContent(err) {
		t.Errorf("the same content twice: %v", err)
	}
	latest, ok, err := account.Document(ctx, region, testDocument, LatestVersion)
	must(err)
	if !ok || version != 2 || latest.Version != 2 || latest.Default != 1 || latest.Latest != 2 ||
		latest.Type != SessionDocumentType || latest.Status != DocumentActive || latest.Hash == "" {
		t.Errorf("version %d, described as %+v", version, latest)
	}
	must(account.SetDefaultDocumentVersion(ctx, region, testDocument, 2))
	if err := account.SetDefaultDocumentVersion(ctx, region, testDocument, 7); whole && !NoDocumentVersion(err) {
		t.Errorf("a default that does not exist: %v", err)
	}
	must(account.TagDocument(ctx, region, testDocument, map[string]string{"c": "3"}))
	must(account.UntagDocument(ctx, region, testDocument, []string{"a", "none"}))
	content, err := account.DocumentContent(ctx, region, testDocument, 1)
	must(err)
	if content != contentA {
		t.Errorf("version 1 is %s", content)
	}
	listed, err := account.SessionDocuments(ctx, region)
	must(err)
	if d := listed[testDocument]; len(listed) != 1 || d.Default != 2 || (whole && d.Created.IsZero()) || !maps.Equal(d.Tags, map[string]string{"b": "2", "c": "3"}) {
		t.Errorf("listed are %+v", listed)
	}
	versions, err := account.DocumentVersions(ctx, region, testDocument)
	if whole {
		must(err)
	}
	if whole && (len(versions) != 2 || !slices.ContainsFunc(versions, func(v DocumentVersion) bool { return v.Number == 2 && v.Default })) {
		t.Errorf("the versions are %+v", versions)
	}
	must(account.ShareDocument(ctx, region, testDocument, []string{"111122223333", "444455556666"}))
	must(account.UnshareDocument(ctx, region, testDocument, []string{"444455556666", "777788889999"}))
	shares, err := account.DocumentShares(ctx, region, testDocument)
	must(err)
	if !slices.Equal(shares, []string{"111122223333"}) {
		t.Errorf("shared with %v", shares)
	}
	must(account.UnshareDocument(ctx, region, testDocument, shares))
	must(account.DeleteDocumentVersion(ctx, region, testDocument, 1))
	must(account.DeleteDocument(ctx, region, testDocument))
	must(account.DeleteDocument(ctx, region, testDocument))
	must(account.DeleteDocumentVersion(ctx, region, testDocument, 1))
	if _, ok, err := account.Document(ctx, region, testDocument, LatestVersion); ok || err != nil {
		t.Errorf("after it was deleted: %v, %v", ok, err)
	}
}

func TestADocumentLivesAndGoes(t *testing.T) { walkDocument(t, newWorld(t).account, testRegion, true) }

func TestADocumentLivesAndGoesAgainstMoto(t *testing.T) {
	t.Parallel()
	base := aws.Config{
		Region: testRegion, BaseEndpoint: aws.String(moto.Start(t)),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAMOTO", "secret", ""),
		HTTPClient:  withPlainBody(&http.Client{}),
	}
	account := NewPool(PoolOptions{Base: base, OwnerID: testOwner, Rate: 1000, Burst: 1000}).
		Account(Config{AccountID: moto.AccountID, Region: testRegion})
	walkDocument(t, account, testRegion, false)
}

func TestSharesGoInTwenties(t *testing.T) {
	w := newWorld(t)
	w.must(w.account.CreateSessionDocument(t.Context(), testRegion, testDocument, contentA, nil))
	var accounts []string
	for i := range 45 {
		accounts = append(accounts, "1111222233"+string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	w.called()
	w.must(w.account.ShareDocument(t.Context(), testRegion, testDocument, accounts))
	w.wantCalls("ModifyDocumentPermission", "ModifyDocumentPermission", "ModifyDocumentPermission")
	shares, err := w.account.DocumentShares(t.Context(), testRegion, testDocument)
	w.must(err)
	if slices.Sort(shares); !slices.Equal(shares, accounts) {
		t.Errorf("shared with %v", shares)
	}
}

func TestEveryDocumentIsListed(t *testing.T) {
	w := newWorld(t)
	w.aws.SetShortPages(0.5)
	for i := range 60 {
		w.must(w.account.CreateSessionDocument(t.Context(), testRegion, "document-"+string(rune('0'+i/10))+string(rune('0'+i%10)), contentA, nil))
	}
	listed, err := w.account.SessionDocuments(t.Context(), testRegion)
	w.must(err)
	if len(listed) != 60 {
		t.Errorf("%d documents are listed", len(listed))
	}
}

func TestQuotasOfDocumentsAreToldAsSuch(t *testing.T) {
	w := newWorld(t)
	w.must(w.account.CreateSessionDocument(t.Context(), testRegion, testDocument, contentA, nil))
	_, err := w.aws.Inject(faults.Fault{Kind: faults.Error, Action: "ssm:UpdateDocument", Code: "DocumentVersionLimitExceeded", Message: "x"})
	w.must(err)
	_, err = w.account.AddDocumentVersion(t.Context(), testRegion, testDocument, contentB)
	if !TooManyVersions(err) {
		t.Errorf("the error is %v", err)
	}
	const want = `ssm:UpdateDocument (DocumentVersionLimitExceeded) for updating document "SessionManager-Logged" in ap-northeast-1 would exceed a quota of the account: have the quota raised or declare less.`
	if got := Sentence(err); got != want {
		t.Errorf("the sentence is\n%s\nwant\n%s", got, want)
	}
}
