package ssm

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Each of these writes may have taken effect although it failed with an error of
// class Transport. All of them can be sent again: what is done already is
// answered with success, or with an error that one of the functions above knows.

// errNoAnswer is the error for an answer without the document that it is about.
var errNoAnswer = errors.New("the answer names no document")

// CreateSessionDocument makes a session document, with its tags. That there is
// one of that name is an error that IsDocumentExists knows. One call.
func (r Region) CreateSessionDocument(ctx context.Context, name, content string, tags map[string]string) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.CreateDocument(ctx, &ssm.CreateDocumentInput{
		Name: &name, Content: &content, DocumentType: types.DocumentTypeSession, DocumentFormat: types.DocumentFormatJson, Tags: tagList(tags),
	})
	return r.account.Explain(err, "creating document %q in %s", name, r.name)
}

// AddDocumentVersion makes a new version of a document, which does not become
// the default one. That there is one with that content is an error that
// IsDuplicateContent knows. One call.
func (r Region) AddDocumentVersion(ctx context.Context, name, content string) (version int64, err error) {
	client, err := r.client(ctx)
	if err != nil {
		return 0, err
	}
	out, err := client.UpdateDocument(ctx, &ssm.UpdateDocumentInput{
		Name: &name, Content: &content, DocumentVersion: aws.String(LatestVersion), DocumentFormat: types.DocumentFormatJson,
	})
	if err == nil && out.DocumentDescription == nil {
		err = errNoAnswer
	}
	if err != nil {
		return 0, r.account.Explain(err, "updating document %q in %s", name, r.name)
	}
	return number(out.DocumentDescription.DocumentVersion), nil
}

// SetDefaultDocumentVersion makes a version the one that sessions use. That
// there is no such version, or that it is not ready, is an error that
// IsNoDocumentVersion knows. One call.
func (r Region) SetDefaultDocumentVersion(ctx context.Context, name string, version int64) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.UpdateDocumentDefaultVersion(ctx, &ssm.UpdateDocumentDefaultVersionInput{
		Name: &name, DocumentVersion: versionText(version),
	})
	return r.account.Explain(err, "making version %d the default of document %q in %s", version, name, r.name)
}

// DeleteDocument deletes a document with all its versions. It must not be
// shared. One that does not exist is fine. One call.
func (r Region) DeleteDocument(ctx context.Context, name string) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: &name})
	if IsNoDocument(err) {
		return nil
	}
	return r.account.Explain(err, "deleting document %q in %s", name, r.name)
}

// DeleteDocumentVersion deletes one version, which must not be the default. One
// that does not exist is fine. One call.
func (r Region) DeleteDocumentVersion(ctx context.Context, name string, version int64) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: &name, DocumentVersion: versionText(version)})
	if IsNoDocument(err) || IsNoDocumentVersion(err) {
		return nil
	}
	return r.account.Explain(err, "deleting version %d of document %q in %s", version, name, r.name)
}

// TagDocument sets tags on a document; others stay. One call.
func (r Region) TagDocument(ctx context.Context, name string, tags map[string]string) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingDocument, ResourceId: &name, Tags: tagList(tags),
	})
	return r.account.Explain(err, "tagging document %q in %s", name, r.name)
}

// UntagDocument takes tags off a document; keys that it does not have are fine.
// One call.
func (r Region) UntagDocument(ctx context.Context, name string, keys []string) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
		ResourceType: types.ResourceTypeForTaggingDocument, ResourceId: &name, TagKeys: keys,
	})
	return r.account.Explain(err, "untagging document %q in %s", name, r.name)
}

// sharesAtOnce is how many accounts one call adds or removes (API reference,
// ModifyDocumentPermission).
const sharesAtOnce = 20

// UnshareDocument takes the document away from accounts; those that it is not
// shared with are fine. One call for 20.
func (r Region) UnshareDocument(ctx context.Context, name string, accounts []string) error {
	return r.modifyShares(ctx, name, accounts, func(in *ssm.ModifyDocumentPermissionInput, ids []string) { in.AccountIdsToRemove = ids })
}

// ShareDocument shares the default version of a document with accounts. One
// call for 20.
func (r Region) ShareDocument(ctx context.Context, name string, accounts []string) error {
	return r.modifyShares(ctx, name, accounts, func(in *ssm.ModifyDocumentPermissionInput, ids []string) { in.AccountIdsToAdd = ids })
}

func (r Region) modifyShares(ctx context.Context, name string, accounts []string, put func(*ssm.ModifyDocumentPermissionInput, []string)) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for ids := range slices.Chunk(accounts, sharesAtOnce) {
		in := &ssm.ModifyDocumentPermissionInput{Name: &name, PermissionType: types.DocumentPermissionTypeShare}
		put(in, ids)
		if _, err := client.ModifyDocumentPermission(ctx, in); err != nil {
			failures = append(failures, r.account.Explain(err, "changing whom document %q in %s is shared with", name, r.name))
		}
	}
	return errors.Join(failures...)
}
