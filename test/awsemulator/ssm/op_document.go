package ssm

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

var (
	documentNamePattern = service.NewPattern("name", `[a-zA-Z0-9_\-.]{3,128}`, 3, 128)
	// documentARNPattern is that of operations that take the ARN of a shared
	// document, too.
	documentARNPattern = service.NewPattern("name", `[a-zA-Z0-9_\-.:/]{3,128}`, 3, 128)
	versionNamePattern = service.NewPattern("versionName", `[a-zA-Z0-9_\-.]{1,128}`, 1, 128)
	versionPattern     = service.NewPattern("documentVersion", `[$]LATEST|[$]DEFAULT|[1-9][0-9]*`, 1, 20)
)

// reservedPrefixes cannot begin the name of an account's own document.
var reservedPrefixes = []string{"aws", "amazon", "amzn"}

func checkVersion(text string) error {
	if text == "" {
		return nil
	}
	return versionPattern.Check(text)
}

func checkVersionName(name *string) error {
	if aws.ToString(name) == "" {
		return nil
	}
	return versionNamePattern.Check(*name)
}

func (r *Region) createDocument(req *service.Request, in *sdk.CreateDocumentInput) (*sdk.CreateDocumentOutput, error) {
	d, err := newDocument(req, in)
	if err != nil {
		return nil, err
	}
	err = r.update(req.Now, func(s *State) error {
		if _, ok := s.document(req.Now, d.Name); ok {
			return invalid("DocumentAlreadyExists", "Document with name %s already exists.", d.Name)
		}
		count := 0
		for range s.existing(req.Now) {
			count++
		}
		if limit := r.Limits().Documents; count >= limit {
			return invalid("DocumentLimitExceeded", "You can have at most %d active Systems Manager documents.", limit)
		}
		r.nextOutcome().bearOn(&d.Versions[0])
		s.documents = s.documents.With(d.Name, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := r.describe(foundDocument{Document: d, owner: r.AccountID, name: d.Name}, d.Latest(), req.Now)
	out.Status = types.DocumentStatusCreating
	return &sdk.CreateDocumentOutput{DocumentDescription: out}, nil
}

// newDocument checks a creation and makes the document of it.
func newDocument(req *service.Request, in *sdk.CreateDocumentInput) (*Document, error) {
	name := aws.ToString(in.Name)
	if err := documentNamePattern.Check(name); err != nil {
		return nil, err
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(strings.ToLower(name), prefix) {
			return nil, invalid("ValidationException", "The document name %s begins with a reserved prefix.", name)
		}
	}
	d := &Document{Name: name, Type: string(in.DocumentType), Created: req.Now, Default: 1, next: 2}
	if d.Type == "" {
		d.Type = string(types.DocumentTypeCommand)
	}
	v, err := newVersion(req, d.Type, in.DocumentFormat, in.Content, in.VersionName)
	if err != nil {
		return nil, err
	}
	v.Number = 1
	d.Versions = []DocumentVersion{v}
	d.Tags, err = tagMap(nil, in.Tags)
	return d, err
}

// newVersion checks content and makes a version of it that has no number yet.
func newVersion(req *service.Request, kind string, format types.DocumentFormat, content, name *string) (DocumentVersion, error) {
	if err := checkVersionName(name); err != nil {
		return DocumentVersion{}, err
	}
	v := DocumentVersion{Name: aws.ToString(name), Content: aws.ToString(content), Format: string(format), Created: req.Now, ready: req.Now}
	if v.Format == "" {
		v.Format = string(types.DocumentFormatJson)
	}
	description, err := checkContent(kind, v.Format, v.Content)
	v.Description = description
	return v, err
}

func (r *Region) getDocument(req *service.Request, in *sdk.GetDocumentInput) (*sdk.GetDocumentOutput, error) {
	if err := documentARNPattern.Check(aws.ToString(in.Name)); err != nil {
		return nil, err
	}
	f, v, err := r.findVersion(r.at(r.DocumentLag, req.Now), req.Now, in.Name, in.DocumentVersion, in.VersionName)
	if err != nil {
		return nil, err
	}
	content, err := v.in(in.DocumentFormat)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetDocumentOutput{
		Name: aws.String(f.name), Content: aws.String(content), CreatedDate: aws.Time(v.Created), DocumentFormat: cmp.Or(in.DocumentFormat, types.DocumentFormatJson),
		DocumentType: types.DocumentType(f.Type), DocumentVersion: aws.String(strconv.Itoa(v.Number)), VersionName: optional(v.Name),
	}
	status, information := f.Status(v, req.Now)
	out.Status, out.StatusInformation = status, optional(information)
	return out, nil
}

func (r *Region) describeDocument(req *service.Request, in *sdk.DescribeDocumentInput) (*sdk.DescribeDocumentOutput, error) {
	if err := documentARNPattern.Check(aws.ToString(in.Name)); err != nil {
		return nil, err
	}
	f, v, err := r.findVersion(r.at(r.DocumentLag, req.Now), req.Now, in.Name, in.DocumentVersion, in.VersionName)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeDocumentOutput{Document: r.describe(f, v, req.Now)}, nil
}

// deleteDocument deletes a document, or the one version that is named.
func (r *Region) deleteDocument(req *service.Request, in *sdk.DeleteDocumentInput) (*sdk.DeleteDocumentOutput, error) {
	return &sdk.DeleteDocumentOutput{}, r.update(req.Now, func(s *State) error {
		d, err := s.own(req.Now, in.Name)
		if err != nil {
			return err
		}
		if !d.gone.IsZero() {
			return invalidOperation("Document %s is being deleted.", d.Name)
		}
		if aws.ToString(in.DocumentVersion) == "" && aws.ToString(in.VersionName) == "" {
			return r.deleteWhole(req, s, d)
		}
		v, err := d.resolve(in.DocumentVersion, in.VersionName)
		if err != nil {
			return err
		}
		if v.Number == d.Default {
			return invalidOperation("You cannot delete the default version of document %s: set another version as the default before.", d.Name)
		}
		s.documents = s.documents.With(d.Name, d.without(v.Number))
		return nil
	})
}

func (r *Region) deleteWhole(req *service.Request, s *State, d *Document) error {
	if len(d.Shares) > 0 || len(r.SharedWith(r.DocumentARN(d.Name))) > 0 {
		return invalidOperation("You attempted to delete document %s while it is still shared. You must stop sharing the document before you can delete it.", d.Name)
	}
	takes := r.takeDeletion()
	if takes == 0 {
		s.documents = s.documents.Without(d.Name)
		return nil
	}
	s.documents = s.documents.With(d.Name, d.with(func(d *Document) { d.gone = req.Now.Add(takes) }))
	return nil
}
