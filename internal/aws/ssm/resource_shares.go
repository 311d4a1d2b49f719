package ssm

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// ResourceShare is a resource share of AWS RAM that the account owns. Names are not unique.
type ResourceShare struct {
	ARN, Name string
	// Pending: RAM has not made it yet.
	Pending bool
	// Failed: RAM could not make it, for Information.
	Failed      bool
	Information string
	Created     time.Time
	Tags        map[string]string
}

// The states of an association of a resource share.
const (
	ShareAssociating    = string(types.ResourceShareAssociationStatusAssociating)
	ShareAssociated     = string(types.ResourceShareAssociationStatusAssociated)
	ShareFailed         = string(types.ResourceShareAssociationStatusFailed)
	ShareDisassociating = string(types.ResourceShareAssociationStatusDisassociating)
	shareDisassociated  = string(types.ResourceShareAssociationStatusDisassociated)
)

// ShareAssociation is a principal or a resource of a resource share.
type ShareAssociation struct {
	// Entity is the ARN of a resource, or the ARN or account id of a principal.
	Entity string
	// Status is one of the states above, or another that AWS may add.
	Status string
	// Information is what AWS says about the status; "" for nothing.
	Information string
	// Updated is when the status last changed; zero where AWS gives no time.
	Updated time.Time
}

// codeNoShare is RAM's error for a resource share that does not exist.
const codeNoShare = "UnknownResourceException"

// IsNoResourceShare reports whether an error of RAM means that a resource share does not
// exist.
func IsNoResourceShare(err error) bool { return awserr.Code(err) == codeNoShare }

// ram is the region's client of RAM, once it is sure that it leads to the right account.
func (r Region) ram(ctx context.Context) (*ram.Client, error) {
	clients, err := r.account.Clients(ctx)
	if err != nil {
		return nil, err
	}
	return clients.RAM(r.name), nil
}

// ResourceShares lists the account's own resource shares of a name, oldest first, without
// those that are deleted. One call for a page.
func (r Region) ResourceShares(ctx context.Context, name string) ([]ResourceShare, error) {
	client, err := r.ram(ctx)
	if err != nil {
		return nil, err
	}
	var shares []ResourceShare
	pages := ram.NewGetResourceSharesPaginator(client, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerSelf, Name: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.account.Explain(err, "looking for resource share %q in %s", name, r.name)
		}
		for _, s := range page.ResourceShares {
			if s.Status == types.ResourceShareStatusDeleted || s.Status == types.ResourceShareStatusDeleting || aws.ToString(s.Name) != name {
				continue
			}
			shares = append(shares, resourceShareOf(s))
		}
	}
	slices.SortFunc(shares, func(a, b ResourceShare) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ARN, b.ARN))
	})
	return shares, nil
}

func resourceShareOf(s types.ResourceShare) ResourceShare {
	share := ResourceShare{
		ARN: aws.ToString(s.ResourceShareArn), Name: aws.ToString(s.Name), Created: aws.ToTime(s.CreationTime),
		Pending: s.Status == types.ResourceShareStatusPending, Failed: s.Status == types.ResourceShareStatusFailed,
		Information: aws.ToString(s.StatusMessage), Tags: map[string]string{},
	}
	for _, t := range s.Tags {
		share.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return share
}

// SharePrincipals lists whom a resource share shares with, without those that it no longer
// does. One call for a page.
func (r Region) SharePrincipals(ctx context.Context, shareARN string) ([]ShareAssociation, error) {
	return r.shareAssociations(ctx, shareARN, types.ResourceShareAssociationTypePrincipal)
}

// ShareResources lists what a resource share shares, without what it no longer does. One
// call for a page.
func (r Region) ShareResources(ctx context.Context, shareARN string) ([]ShareAssociation, error) {
	return r.shareAssociations(ctx, shareARN, types.ResourceShareAssociationTypeResource)
}

func (r Region) shareAssociations(ctx context.Context, shareARN string, kind types.ResourceShareAssociationType) ([]ShareAssociation, error) {
	client, err := r.ram(ctx)
	if err != nil {
		return nil, err
	}
	var associations []ShareAssociation
	pages := ram.NewGetResourceShareAssociationsPaginator(client, &ram.GetResourceShareAssociationsInput{
		AssociationType: kind, ResourceShareArns: []string{shareARN},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.account.Explain(err, "listing what resource share %s in %s holds", shareARN, r.name)
		}
		for _, a := range page.ResourceShareAssociations {
			if string(a.Status) != shareDisassociated {
				associations = append(associations, ShareAssociation{
					Entity: aws.ToString(a.AssociatedEntity), Status: string(a.Status), Information: aws.ToString(a.StatusMessage), Updated: aws.ToTime(a.LastUpdatedTime),
				})
			}
		}
	}
	return associations, nil
}

// ResourceShareEnding reports whether AWS is still ending a resource share of a resource.
// One call for a page.
func (r Region) ResourceShareEnding(ctx context.Context, resourceARN string) (bool, error) {
	client, err := r.ram(ctx)
	if err != nil {
		return false, err
	}
	pages := ram.NewGetResourceShareAssociationsPaginator(client, &ram.GetResourceShareAssociationsInput{
		AssociationType: types.ResourceShareAssociationTypeResource, ResourceArn: &resourceARN, AssociationStatus: types.ResourceShareAssociationStatusDisassociating,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, r.account.Explain(err, "listing the resource shares of %s", resourceARN)
		}
		if len(page.ResourceShareAssociations) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// NewResourceShare is a resource share to make.
type NewResourceShare struct {
	Name string
	// Token: RAM answers a second request with the same token with the same share.
	Token      string
	Resource   string
	Principals []string
	Tags       map[string]string
}

// CreateResourceShare makes a resource share within the account's organization. RAM makes
// the associations later. One call.
func (r Region) CreateResourceShare(ctx context.Context, share NewResourceShare) error {
	client, err := r.ram(ctx)
	if err != nil {
		return err
	}
	in := &ram.CreateResourceShareInput{
		Name: &share.Name, ClientToken: &share.Token, ResourceArns: []string{share.Resource}, Principals: share.Principals,
		AllowExternalPrincipals: aws.Bool(false),
	}
	for _, t := range tagList(share.Tags) {
		in.Tags = append(in.Tags, types.Tag{Key: t.Key, Value: t.Value})
	}
	_, err = client.CreateResourceShare(ctx, in)
	return r.account.Explain(err, "creating resource share %q in %s", share.Name, r.name)
}

// AssociateResourceShare adds principals and resources to a resource share; RAM does it
// later. One call.
func (r Region) AssociateResourceShare(ctx context.Context, shareARN string, principals, resources []string) error {
	client, err := r.ram(ctx)
	if err != nil {
		return err
	}
	_, err = client.AssociateResourceShare(ctx, &ram.AssociateResourceShareInput{ResourceShareArn: &shareARN, Principals: principals, ResourceArns: resources})
	return r.account.Explain(err, "adding to resource share %s in %s", shareARN, r.name)
}

// DisassociateResourceShare removes principals from a resource share; RAM does it later.
// One call.
func (r Region) DisassociateResourceShare(ctx context.Context, shareARN string, principals []string) error {
	client, err := r.ram(ctx)
	if err != nil {
		return err
	}
	_, err = client.DisassociateResourceShare(ctx, &ram.DisassociateResourceShareInput{ResourceShareArn: &shareARN, Principals: principals})
	return r.account.Explain(err, "removing from resource share %s in %s", shareARN, r.name)
}

// DeleteResourceShare deletes a resource share; RAM does it later. One that does not exist
// is fine. One call.
func (r Region) DeleteResourceShare(ctx context.Context, shareARN string) error {
	client, err := r.ram(ctx)
	if err != nil {
		return err
	}
	_, err = client.DeleteResourceShare(ctx, &ram.DeleteResourceShareInput{ResourceShareArn: &shareARN})
	if IsNoResourceShare(err) {
		return nil
	}
	return r.account.Explain(err, "deleting resource share %s in %s", shareARN, r.name)
}

// HasResourcePolicy reports whether a resource policy lets anyone else use a document: that
// of a resource share. One call for a page.
func (r Region) HasResourcePolicy(ctx context.Context, documentARN string) (bool, error) {
	client, err := r.client(ctx)
	if err != nil {
		return false, err
	}
	pages := ssm.NewGetResourcePoliciesPaginator(client, &ssm.GetResourcePoliciesInput{ResourceArn: &documentARN})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, r.account.Explain(err, "reading the resource policies of %s", documentARN)
		}
		if len(page.Policies) > 0 {
			return true, nil
		}
	}
	return false, nil
}
