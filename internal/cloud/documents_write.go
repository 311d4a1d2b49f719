package cloud

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Each of these writes may have taken effect although it failed with an error of
// class Transport. All of them can be sent again: what is done already is
// answered with success, or with an error that one of the functions above knows.

// errNoAnswer is the error for an answer without the document that it is about.
var errNoAnswer = errors.New("the answer tells of no document")

// CreateSessionDocument makes a session document, with its tags. That there is
// one of that name is an error that DocumentExists knows. One call.
func (a *Account) CreateSessionDocument(ctx context.Context, region, name, content string, tags map[string]string) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).CreateDocument(ctx, &ssm.CreateDocumentInput{
		Name: &name, Content: &content, DocumentType: types.DocumentTypeSession, DocumentFormat: types.DocumentFormatJson, Tags: tagList(tags),
	})
	return a.explain(err, "creating document %q in %s", name, region)
}

func tagList(tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}

// AddDocumentVersion makes a new version of a document, which does not become
// the default one. That there is one with that content is an error that
// DuplicateContent knows. One call.
func (a *Account) AddDocumentVersion(ctx context.Context, region, name, content string) (version int64, err error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return 0, err
	}
	out, err := clients.ssmIn(region).UpdateDocument(ctx, &ssm.UpdateDocumentInput{
		Name: &name, Content: &content, DocumentVersion: aws.String(LatestVersion), DocumentFormat: types.DocumentFormatJson,
	})
	if err == nil && out.DocumentDescription == nil {
		err = errNoAnswer
	}
	if err != nil {
		return 0, a.explain(err, "updating document %q in %s", name, region)
	}
	return number(out.DocumentDescription.DocumentVersion), nil
}

// SetDefaultDocumentVersion makes a version the one that sessions use. That
// there is no such version, or that it is not ready, is an error that
// NoDocumentVersion knows. One call.
func (a *Account) SetDefaultDocumentVersion(ctx context.Context, region, name string, version int64) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).UpdateDocumentDefaultVersion(ctx, &ssm.UpdateDocumentDefaultVersionInput{
		Name: &name, DocumentVersion: versionText(version),
	})
	return a.explain(err, "making version %d the default of document %q in %s", version, name, region)
}

// DeleteDocument deletes a document with all its versions. It must not be
// shared. One that does not exist is fine. One call.
func (a *Account) DeleteDocument(ctx context.Context, region, name string) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: &name})
	if NoDocument(err) {
		return nil
	}
	return a.explain(err, "deleting document %q in %s", name, region)
}

// DeleteDocumentVersion deletes one version, which must not be the default. One
// that does not exist is fine. One call.
func (a *Account) DeleteDocumentVersion(ctx context.Context, region, name string, version int64) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: &name, DocumentVersion: versionText(version)})
	if NoDocument(err) || NoDocumentVersion(err) {
		return nil
	}
	return a.explain(err, "deleting version %d of document %q in %s", version, name, region)
}

// TagDocument sets tags on a document; others stay. One call.
func (a *Account) TagDocument(ctx context.Context, region, name string, tags map[string]string) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingDocument, ResourceId: &name, Tags: tagList(tags),
	})
	return a.explain(err, "tagging document %q in %s", name, region)
}

// UntagDocument takes tags off a document; keys that it does not have are fine.
// One call.
func (a *Account) UntagDocument(ctx context.Context, region, name string, keys []string) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
		ResourceType: types.ResourceTypeForTaggingDocument, ResourceId: &name, TagKeys: keys,
	})
	return a.explain(err, "untagging document %q in %s", name, region)
}

// sharesAtOnce is how many accounts one call adds or removes (API reference,
// ModifyDocumentPermission).
const sharesAtOnce = 20

// UnshareDocument takes the document away from accounts; those that it is not
// shared with are fine. One call for 20.
func (a *Account) UnshareDocument(ctx context.Context, region, name string, accounts []string) error {
	return a.modifyShares(ctx, region, name, accounts, func(in *ssm.ModifyDocumentPermissionInput, ids []string) { in.AccountIdsToRemove = ids })
}

// ShareDocument shares the default version of a document with accounts. One
// call for 20.
func (a *Account) ShareDocument(ctx context.Context, region, name string, accounts []string) error {
	return a.modifyShares(ctx, region, name, accounts, func(in *ssm.ModifyDocumentPermissionInput, ids []string) { in.AccountIdsToAdd = ids })
}

func (a *Account) modifyShares(ctx context.Context, region, name string, accounts []string, put func(*ssm.ModifyDocumentPermissionInput, []string)) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for ids := range slices.Chunk(accounts, sharesAtOnce) {
		in := &ssm.ModifyDocumentPermissionInput{Name: &name, PermissionType: types.DocumentPermissionTypeShare}
		put(in, ids)
		if _, err := clients.ssmIn(region).ModifyDocumentPermission(ctx, in); err != nil {
			failures = append(failures, a.explain(err, "changing whom document %q in %s is shared with", name, region))
		}
	}
	return errors.Join(failures...)
}
