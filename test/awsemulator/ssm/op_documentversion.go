package ssm

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

var defaultVersionPattern = service.NewPattern("documentVersion", `[1-9][0-9]*`, 1, 20)

// updateDocument adds a version. It leaves the default where it is.
func (r *Region) updateDocument(req *service.Request, in *sdk.UpdateDocumentInput) (*sdk.UpdateDocumentOutput, error) {
	var updated *Document
	err := r.update(req.Now, func(s *State) error {
		d, err := s.own(req.Now, in.Name)
		if err != nil {
			return err
		}
		v, err := r.nextVersion(req, d, in)
		if err != nil {
			return err
		}
		r.nextOutcome().bearOn(&v)
		updated = d.with(func(d *Document) {
			d.Versions = append(d.Versions, v)
			d.next++
		})
		s.documents = s.documents.With(d.Name, updated)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := r.describe(foundDocument{Document: updated, owner: r.AccountID, name: updated.Name}, updated.Latest(), req.Now)
	out.Status = types.DocumentStatusUpdating
	return &sdk.UpdateDocumentOutput{DocumentDescription: out}, nil
}

// nextVersion checks an update and makes the version of it.
func (r *Region) nextVersion(req *service.Request, d *Document, in *sdk.UpdateDocumentInput) (DocumentVersion, error) {
	base, err := d.resolve(in.DocumentVersion, nil)
	if err != nil {
		return DocumentVersion{}, err
	}
	v, err := newVersion(req, d.Type, in.DocumentFormat, in.Content, in.VersionName)
	if err != nil {
		return DocumentVersion{}, err
	}
	v.Number = d.next
	sameName := func(old DocumentVersion) bool { return v.Name != "" && old.Name == v.Name }
	switch limit := r.Limits().DocumentVersions; {
	case base.Number != d.Latest().Number:
		return v, invalid("InvalidDocumentVersion", "Only the latest version of a document can be updated: that of %s is %d, not %d.", d.Name, d.Latest().Number, base.Number)
	case !d.settled(req.Now):
		// That there is such an error is known, for which states is not.
		return v, invalidOperation("Document %s is being made or deleted and cannot be updated now.", d.Name)
	case v.Content == d.Latest().Content:
		return v, invalid("DuplicateDocumentContent", "The content of the document matches that of another version. Change the content of the document and try again.")
	case slices.ContainsFunc(d.Versions, sameName):
		return v, invalid("DuplicateDocumentVersionName", "The version name %s is used by another version of document %s.", v.Name, d.Name)
	case len(d.Versions) >= limit:
		return v, invalid("DocumentVersionLimitExceeded", "The document has too many versions: at most %d are allowed. Delete one or more document versions and try again.", limit)
	}
	return v, nil
}

func (r *Region) updateDocumentDefaultVersion(req *service.Request, in *sdk.UpdateDocumentDefaultVersionInput) (*sdk.UpdateDocumentDefaultVersionOutput, error) {
	if err := defaultVersionPattern.Check(aws.ToString(in.DocumentVersion)); err != nil {
		return nil, err
	}
	out := &types.DocumentDefaultVersionDescription{Name: in.Name, DefaultVersion: in.DocumentVersion}
	err := r.update(req.Now, func(s *State) error {
		d, err := s.own(req.Now, in.Name)
		if err != nil {
			return err
		}
		v, err := d.resolve(in.DocumentVersion, nil)
		if err != nil {
			return err
		}
		if status, _ := d.Status(v, req.Now); status != types.DocumentStatusActive {
			return invalid("InvalidDocumentVersion", "Version %d of document %s is %s and cannot be the default.", v.Number, d.Name, status)
		}
		out.DefaultVersionName = optional(v.Name)
		s.documents = s.documents.With(d.Name, d.with(func(d *Document) { d.Default = v.Number }))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.UpdateDocumentDefaultVersionOutput{Description: out}, nil
}

// listDocumentVersions lists the versions, newest first.
func (r *Region) listDocumentVersions(req *service.Request, in *sdk.ListDocumentVersionsInput) (*sdk.ListDocumentVersionsOutput, error) {
	if err := documentARNPattern.Check(aws.ToString(in.Name)); err != nil {
		return nil, err
	}
	f, err := r.find(r.at(r.DocumentLag, req.Now), req.Now, aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	newestFirst := ordered.New[DocumentVersion]()
	for _, v := range f.Versions {
		if f.usable(v) {
			newestFirst = newestFirst.With(fmt.Sprintf("%010d", 1<<31-v.Number), v)
		}
	}
	p, err := paginate(r.Paging, in.NextToken, in.MaxResults, bounds{low: 1, high: 50, byDefault: 50}, newestFirst)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListDocumentVersionsOutput{NextToken: p.next, DocumentVersions: make([]types.DocumentVersionInfo, len(p.items))}
	for i, v := range p.items {
		status, information := f.Status(v, req.Now)
		out.DocumentVersions[i] = types.DocumentVersionInfo{
			Name: aws.String(f.name), DocumentVersion: aws.String(strconv.Itoa(v.Number)), VersionName: optional(v.Name),
			CreatedDate: aws.Time(v.Created), DocumentFormat: types.DocumentFormat(v.Format), IsDefaultVersion: v.Number == f.Default,
			Status: status, StatusInformation: optional(information),
		}
	}
	return out, nil
}
