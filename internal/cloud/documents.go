package cloud

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// The versions that have names of their own.
const (
	// LatestVersion is the version that was made last.
	LatestVersion = "$LATEST"
	// DefaultDocumentVersion is the version that sessions use.
	DefaultDocumentVersion = "$DEFAULT"
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

// Further error codes of SSM about documents.
const (
	codeNoVersion        = "InvalidDocumentVersion"
	codeDocumentExists   = "DocumentAlreadyExists"
	codeDuplicateContent = "DuplicateDocumentContent"
	codeTooManyVersions  = "DocumentVersionLimitExceeded"
)

// NoDocument reports whether an error means that a document does not exist.
func NoDocument(err error) bool { return Code(err) == codeNoSuchDocument }

// NoDocumentVersion reports whether an error means that a document has no such
// version, or none that is ready.
func NoDocumentVersion(err error) bool { return Code(err) == codeNoVersion }

// DocumentExists reports whether an error means that a document already exists.
func DocumentExists(err error) bool { return Code(err) == codeDocumentExists }

// DuplicateContent reports whether an error means that a document already has a
// version with the same content.
func DuplicateContent(err error) bool { return Code(err) == codeDuplicateContent }

// TooManyVersions reports whether an error means that a document has as many
// versions as it can have.
func TooManyVersions(err error) bool { return Code(err) == codeTooManyVersions }

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
// DefaultDocumentVersion. ok is false when there is no such document. One call.
func (a *Account) Document(ctx context.Context, region, name, version string) (d Document, ok bool, err error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return Document{}, false, err
	}
	out, err := clients.ssmIn(region).DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: &name, DocumentVersion: &version})
	if NoDocument(err) {
		return Document{}, false, nil
	}
	if err == nil && out.Document == nil {
		err = errNoAnswer
	}
	if err != nil {
		return Document{}, false, a.explain(err, "describing document %q in %s", name, region)
	}
	return documentOf(out.Document), true, nil
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

func tagsOf(list []types.Tag) map[string]string {
	tags := make(map[string]string, len(list))
	for _, t := range list {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags
}

// DocumentContent reads the content of a version, as JSON. One call.
func (a *Account) DocumentContent(ctx context.Context, region, name string, version int64) (string, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return "", err
	}
	out, err := clients.ssmIn(region).GetDocument(ctx, &ssm.GetDocumentInput{
		Name: &name, DocumentVersion: versionText(version), DocumentFormat: types.DocumentFormatJson,
	})
	if err != nil {
		return "", a.explain(err, "reading version %d of document %q in %s", version, name, region)
	}
	return aws.ToString(out.Content), nil
}

func versionText(version int64) *string { return aws.String(strconv.FormatInt(version, 10)) }

// DocumentShares lists the accounts that a document is shared with; "all" means
// all accounts. One call for 200.
func (a *Account) DocumentShares(ctx context.Context, region, name string) ([]string, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return nil, err
	}
	var accounts []string
	input := &ssm.DescribeDocumentPermissionInput{Name: &name, PermissionType: types.DocumentPermissionTypeShare}
	for {
		page, err := clients.ssmIn(region).DescribeDocumentPermission(ctx, input)
		if err != nil {
			return nil, a.explain(err, "listing whom document %q in %s is shared with", name, region)
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
func (a *Account) DocumentVersions(ctx context.Context, region, name string) ([]DocumentVersion, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return nil, err
	}
	var versions []DocumentVersion
	pages := ssm.NewListDocumentVersionsPaginator(clients.ssmIn(region), &ssm.ListDocumentVersionsInput{
		Name: &name, MaxResults: aws.Int32(documentPage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, a.explain(err, "listing the versions of document %q in %s", name, region)
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
func (a *Account) SessionDocuments(ctx context.Context, region string) (map[string]ListedDocument, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return nil, err
	}
	documents := map[string]ListedDocument{}
	pages := ssm.NewListDocumentsPaginator(clients.ssmIn(region), &ssm.ListDocumentsInput{
		Filters: []types.DocumentKeyValuesFilter{
			{Key: aws.String("Owner"), Values: []string{"Self"}},
			{Key: aws.String("DocumentType"), Values: []string{SessionDocumentType}},
		},
		MaxResults: aws.Int32(documentPage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, a.explain(err, "listing the session documents in %s", region)
		}
		for _, d := range page.DocumentIdentifiers {
			documents[aws.ToString(d.Name)] = ListedDocument{
				Default: number(d.DocumentVersion), Created: aws.ToTime(d.CreatedDate), Tags: tagsOf(d.Tags),
			}
		}
	}
	return documents, nil
}
