package ssm

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// The versions that have names of their own.
const (
	// LatestVersion is the version that was made last.
	LatestVersion = "$LATEST"
	// DefaultVersion is the version that sessions use.
	DefaultVersion = "$DEFAULT"
)

// SessionDocumentType is the type of the documents that sessions are opened with.
const SessionDocumentType = string(types.DocumentTypeSession)

// The states of a version of a document. Nothing is known of any other.
const (
	DocumentCreating = string(types.DocumentStatusCreating)
	DocumentUpdating = string(types.DocumentStatusUpdating)
	DocumentActive   = string(types.DocumentStatusActive)
	DocumentFailed   = string(types.DocumentStatusFailed)
	DocumentDeleting = string(types.DocumentStatusDeleting)
)

// The error codes of SSM about documents.
const (
	codeNoSuchDocument   = "InvalidDocument"
	codeNoVersion        = "InvalidDocumentVersion"
	codeDocumentExists   = "DocumentAlreadyExists"
	codeDuplicateContent = "DuplicateDocumentContent"
	codeTooManyVersions  = "DocumentVersionLimitExceeded"
)

// IsNoDocument reports whether an error means that a document does not exist.
func IsNoDocument(err error) bool { return awserr.Code(err) == codeNoSuchDocument }

// IsNoDocumentVersion reports whether an error means that a document has no such
// version, or none that is ready.
func IsNoDocumentVersion(err error) bool { return awserr.Code(err) == codeNoVersion }

// IsDocumentExists reports whether an error means that a document already exists.
func IsDocumentExists(err error) bool { return awserr.Code(err) == codeDocumentExists }

// IsDuplicateContent reports whether an error means that a document already has a
// version with the same content.
func IsDuplicateContent(err error) bool { return awserr.Code(err) == codeDuplicateContent }

// IsTooManyVersions reports whether an error means that a document has as many
// versions as it can have.
func IsTooManyVersions(err error) bool { return awserr.Code(err) == codeTooManyVersions }

// Document is one version of a document, and the document around it.
type Document struct {
	Name string
	// Type such as "Session".
	Type string
	// Version is the one described, Status its state, and Information what AWS
	// says about that.
	Version             int64
	Status, Information string
	// Default is the version that sessions use, Latest the newest.
	Default, Latest int64
	// Hash is AWS's SHA-256 of the version's content; "" where AWS gave none.
	Hash string
	Tags map[string]string
}

// Document describes a version of a document: a number, LatestVersion or
// DefaultVersion. ok is false when there is no such document. One call.
func (r Region) Document(ctx context.Context, name, version string) (d Document, ok bool, err error) {
	client, err := r.client(ctx)
	if err != nil {
		return Document{}, false, err
	}
	out, err := client.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: &name, DocumentVersion: &version})
	if IsNoDocument(err) {
		return Document{}, false, nil
	}
	if err == nil && out.Document == nil {
		err = errNoAnswer
	}
	if err != nil {
		return Document{}, false, r.account.Explain(err, "describing document %q in %s", name, r.name)
	}
	return documentOf(out.Document), true, nil
}

// HasDocument reports whether a region has a document of that name, owned by the
// account or by AWS. One call.
func (r Region) HasDocument(ctx context.Context, name string) (bool, error) {
	client, err := r.client(ctx)
	if err != nil {
		return false, err
	}
	_, err = client.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: &name})
	if awserr.Code(err) == codeNoSuchDocument {
		return false, nil
	}
	return err == nil, r.account.Explain(err, "looking for document %s in %s", name, r.name)
}

func documentOf(d *types.DocumentDescription) Document {
	return Document{
		Name: aws.ToString(d.Name), Type: string(d.DocumentType),
		Version: number(d.DocumentVersion), Status: string(d.Status), Information: aws.ToString(d.StatusInformation),
		Default: number(d.DefaultVersion), Latest: number(d.LatestVersion),
		Hash: aws.ToString(d.Hash), Tags: tagsOf(d.Tags),
	}
}

// number reads a version; 0 is none.
func number(text *string) int64 {
	n, err := strconv.ParseInt(aws.ToString(text), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// DocumentContent reads the content of a version, as JSON. One call.
func (r Region) DocumentContent(ctx context.Context, name string, version int64) (string, error) {
	client, err := r.client(ctx)
	if err != nil {
		return "", err
	}
	out, err := client.GetDocument(ctx, &ssm.GetDocumentInput{
		Name: &name, DocumentVersion: versionText(version), DocumentFormat: types.DocumentFormatJson,
	})
	if err != nil {
		return "", r.account.Explain(err, "reading version %d of document %q in %s", version, name, r.name)
	}
	return aws.ToString(out.Content), nil
}

func versionText(version int64) *string { return aws.String(strconv.FormatInt(version, 10)) }

// DefaultContent reads the content of the version that sessions use, as JSON; ok
// is false where there is no such document. One call.
func (r Region) DefaultContent(ctx context.Context, name string) (content string, ok bool, err error) {
	client, err := r.client(ctx)
	if err != nil {
		return "", false, err
	}
	out, err := client.GetDocument(ctx, &ssm.GetDocumentInput{
		Name: &name, DocumentVersion: aws.String(DefaultVersion), DocumentFormat: types.DocumentFormatJson,
	})
	if IsNoDocument(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, r.account.Explain(err, "reading document %q in %s", name, r.name)
	}
	return aws.ToString(out.Content), true, nil
}

// DocumentShares lists the accounts that a document is shared with; "all" means
// all accounts. One call for 200.
func (r Region) DocumentShares(ctx context.Context, name string) ([]string, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	var accounts []string
	input := &ssm.DescribeDocumentPermissionInput{Name: &name, PermissionType: types.DocumentPermissionTypeShare}
	for {
		page, err := client.DescribeDocumentPermission(ctx, input)
		if err != nil {
			return nil, r.account.Explain(err, "listing whom document %q in %s is shared with", name, r.name)
		}
		accounts = append(accounts, page.AccountIds...)
		if aws.ToString(page.NextToken) == "" {
			return accounts, nil
		}
		input.NextToken = page.NextToken
	}
}

// DocumentVersion is one version of a document in a list.
type DocumentVersion struct {
	Number  int64
	Default bool
	Status  string
}

// documentPage is the most documents, or versions, that SSM gives in one page.
const documentPage = 50

// DocumentVersions lists the versions of a document. One call for 50.
func (r Region) DocumentVersions(ctx context.Context, name string) ([]DocumentVersion, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	var versions []DocumentVersion
	pages := ssm.NewListDocumentVersionsPaginator(client, &ssm.ListDocumentVersionsInput{
		Name: &name, MaxResults: aws.Int32(documentPage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.account.Explain(err, "listing the versions of document %q in %s", name, r.name)
		}
		for _, v := range page.DocumentVersions {
			versions = append(versions, DocumentVersion{Number: number(v.DocumentVersion), Default: v.IsDefaultVersion, Status: string(v.Status)})
		}
	}
	return versions, nil
}

// ListedDocument is a document in a list: what can be known of many at once.
type ListedDocument struct {
	// Default is the version that sessions use.
	//
	// ? That the list gives the default version, and no other, is not documented.
	Default int64
	Created time.Time
	Tags    map[string]string
}

// SessionDocuments lists the account's own session documents in a region, by
// name. One call for 50.
func (r Region) SessionDocuments(ctx context.Context) (map[string]ListedDocument, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	documents := map[string]ListedDocument{}
	pages := ssm.NewListDocumentsPaginator(client, &ssm.ListDocumentsInput{
		Filters: []types.DocumentKeyValuesFilter{
			{Key: aws.String("Owner"), Values: []string{"Self"}},
			{Key: aws.String("DocumentType"), Values: []string{SessionDocumentType}},
		},
		MaxResults: aws.Int32(documentPage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.account.Explain(err, "listing the session documents in %s", r.name)
		}
		for _, d := range page.DocumentIdentifiers {
			documents[aws.ToString(d.Name)] = ListedDocument{
				Default: number(d.DocumentVersion), Created: aws.ToTime(d.CreatedDate), Tags: tagsOf(d.Tags),
			}
		}
	}
	return documents, nil
}
