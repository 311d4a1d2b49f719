package ram

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// The kinds of associations.
const (
	ofPrincipal = types.ResourceShareAssociationTypePrincipal
	ofResource  = types.ResourceShareAssociationTypeResource
)

func (r *Region) check(principals, resources []string, external bool) error {
	for _, p := range principals {
		if err := checkPrincipal(p); err != nil {
			return err
		}
	}
	for _, arn := range resources {
		if err := r.checkResource(arn); err != nil {
			return err
		}
	}
	if !external && slices.ContainsFunc(principals, accountForm.MatchString) {
		// The emulator has no accounts in an organization.
		return failure("OperationNotPermittedException", "The resource share does not allow principals outside of the organization.")
	}
	return nil
}

func (r *Region) create(req *service.Request, in *sdk.CreateResourceShareInput) (*sdk.CreateResourceShareOutput, error) {
	external := in.AllowExternalPrincipals == nil || *in.AllowExternalPrincipals
	if err := r.check(in.Principals, in.ResourceArns, external); err != nil {
		return nil, err
	}
	defer r.Changed(req.Now) // When the lock is free.
	r.mu.Lock()
	defer r.mu.Unlock()
	token := cmp.Or(aws.ToString(in.ClientToken), r.Random.RequestID())
	request := fmt.Sprint(aws.ToString(in.Name), in.Principals, in.ResourceArns, external)
	for _, s := range r.shares {
		if s.token != token {
			continue
		}
		if s.request != request {
			return nil, failure("IdempotentParameterMismatchException", "The client token was used before with other parameters.")
		}
		return &sdk.CreateResourceShareOutput{ResourceShare: r.describe(s, true), ClientToken: &token}, nil
	}
	s := &share{
		arn: r.ARN("ram", "resource-share/"+r.Random.RequestID()), name: aws.ToString(in.Name), token: token, request: request,
		external: external, tags: map[string]string{}, created: req.Now,
	}
	for _, t := range in.Tags {
		s.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	for _, arn := range in.ResourceArns {
		r.add(s, ofResource, arn, req.Now)
	}
	for _, p := range in.Principals {
		r.add(s, ofPrincipal, p, req.Now)
	}
	r.shares = append(r.shares, s)
	return &sdk.CreateResourceShareOutput{ResourceShare: r.describe(s, true), ClientToken: &token}, nil
}

func (r *Region) associate(req *service.Request, in *sdk.AssociateResourceShareInput) (*sdk.AssociateResourceShareOutput, error) {
	if err := r.check(in.Principals, in.ResourceArns, true); err != nil {
		return nil, err
	}
	out := &sdk.AssociateResourceShareOutput{ResourceShareAssociations: []types.ResourceShareAssociation{}, ClientToken: in.ClientToken}
	return out, r.change(req, in.ResourceShareArn, func(s *share) error {
		if !s.external && slices.ContainsFunc(in.Principals, accountForm.MatchString) {
			return failure("OperationNotPermittedException", "The resource share does not allow principals outside of the organization.")
		}
		for _, p := range in.Principals {
			out.ResourceShareAssociations = append(out.ResourceShareAssociations, s.describe(r.add(s, ofPrincipal, p, req.Now), req.Now))
		}
		for _, arn := range in.ResourceArns {
			out.ResourceShareAssociations = append(out.ResourceShareAssociations, s.describe(r.add(s, ofResource, arn, req.Now), req.Now))
		}
		return nil
	})
}

// change changes a resource share under the lock, and reports the change when the lock is free.
func (r *Region) change(req *service.Request, arn *string, do func(*share) error) error {
	defer r.Changed(req.Now)
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.find(aws.ToString(arn))
	if err != nil {
		return err
	}
	return do(s)
}

func (r *Region) disassociate(req *service.Request, in *sdk.DisassociateResourceShareInput) (*sdk.DisassociateResourceShareOutput, error) {
	out := &sdk.DisassociateResourceShareOutput{ResourceShareAssociations: []types.ResourceShareAssociation{}, ClientToken: in.ClientToken}
	return out, r.change(req, in.ResourceShareArn, func(s *share) error {
		for _, entity := range slices.Concat(in.Principals, in.ResourceArns) {
			i := slices.IndexFunc(s.associations, func(a *association) bool { return a.entity == entity && a.present(req.Now) })
			if i < 0 {
				return failure("UnknownResourceException", "%s is not associated with the resource share.", entity)
			}
			r.end(s.associations[i], req.Now)
			out.ResourceShareAssociations = append(out.ResourceShareAssociations, s.describe(s.associations[i], req.Now))
		}
		return nil
	})
}

func (r *Region) remove(req *service.Request, in *sdk.DeleteResourceShareInput) (*sdk.DeleteResourceShareOutput, error) {
	return &sdk.DeleteResourceShareOutput{ReturnValue: aws.Bool(true), ClientToken: in.ClientToken}, r.change(req, in.ResourceShareArn, func(s *share) error {
		s.deleted = true
		for _, a := range s.associations {
			r.end(a, req.Now)
		}
		return nil
	})
}

func (r *Region) list(_ *service.Request, in *sdk.GetResourceSharesInput) (*sdk.GetResourceSharesOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.ResourceOwner != types.ResourceOwnerSelf {
		return &sdk.GetResourceSharesOutput{ResourceShares: []types.ResourceShare{}}, nil
	}
	var found []types.ResourceShare
	for _, s := range r.shares {
		d := *r.describe(s, false)
		if in.Name != nil && s.name != *in.Name || in.ResourceShareStatus != "" && d.Status != in.ResourceShareStatus ||
			len(in.ResourceShareArns) > 0 && !slices.Contains(in.ResourceShareArns, s.arn) || !s.tagged(in.TagFilters) {
			continue
		}
		found = append(found, d)
	}
	items, next, err := page(r.Paging, found, in.NextToken, in.MaxResults)
	return &sdk.GetResourceSharesOutput{ResourceShares: items, NextToken: next}, err
}

func (s *share) tagged(filters []types.TagFilter) bool {
	for _, f := range filters {
		if value, ok := s.tags[aws.ToString(f.TagKey)]; !ok || len(f.TagValues) > 0 && !slices.Contains(f.TagValues, value) {
			return false
		}
	}
	return true
}

func (r *Region) listAssociations(req *service.Request, in *sdk.GetResourceShareAssociationsInput) (*sdk.GetResourceShareAssociationsOutput, error) {
	switch {
	case in.AssociationType == ofPrincipal && in.ResourceArn != nil:
		return nil, failure("InvalidParameterException", "You cannot specify a resource ARN with association type PRINCIPAL.")
	case in.AssociationType == ofResource && in.Principal != nil:
		return nil, failure("InvalidParameterException", "You cannot specify a principal with association type RESOURCE.")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []types.ResourceShareAssociation
	for _, s := range r.shares {
		if len(in.ResourceShareArns) > 0 && !slices.Contains(in.ResourceShareArns, s.arn) {
			continue
		}
		for _, a := range s.associations {
			d := s.describe(a, req.Now)
			if a.kind != in.AssociationType || in.AssociationStatus != "" && d.Status != in.AssociationStatus ||
				in.Principal != nil && a.entity != *in.Principal || in.ResourceArn != nil && a.entity != *in.ResourceArn {
				continue
			}
			found = append(found, d)
		}
	}
	items, next, err := page(r.Paging, found, in.NextToken, in.MaxResults)
	return &sdk.GetResourceShareAssociationsOutput{ResourceShareAssociations: items, NextToken: next}, err
}

// page is a page of a list; the token is how many entries precede it.
func page[T any](paging *service.Paging, all []T, token *string, maxResults *int32) ([]T, *string, error) {
	const most = 500
	size := aws.ToInt32(maxResults)
	if maxResults == nil {
		size = most
	}
	if size < 1 || size > most {
		return nil, nil, failure("InvalidMaxResultsException", "The specified value for MaxResults is not valid.")
	}
	start := 0
	if aws.ToString(token) != "" {
		var err error
		if start, err = strconv.Atoi(*token); err != nil || start > len(all) {
			return nil, nil, failure("InvalidNextTokenException", "The specified value for NextToken is not valid.")
		}
	}
	end := min(len(all), start+paging.Size(int(size)))
	items := append([]T{}, all[start:end]...)
	if end == len(all) {
		return items, nil, nil
	}
	return items, aws.String(strconv.Itoa(end)), nil
}

// describe describes a share; the tags are those of the creation's answer or of a list.
func (r *Region) describe(s *share, pending bool) *types.ResourceShare {
	d := &types.ResourceShare{
		ResourceShareArn: aws.String(s.arn), Name: aws.String(s.name), OwningAccountId: aws.String(r.AccountID),
		AllowExternalPrincipals: aws.Bool(s.external), CreationTime: aws.Time(s.created), LastUpdatedTime: aws.Time(s.created),
		FeatureSet: types.ResourceShareFeatureSetStandard, Status: types.ResourceShareStatusActive,
	}
	if pending {
		d.Status = types.ResourceShareStatusPending
	}
	if s.deleted {
		d.Status = types.ResourceShareStatusDeleted
	}
	for key, value := range s.tags {
		d.Tags = append(d.Tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	return d
}

func (s *share) describe(a *association, now time.Time) types.ResourceShareAssociation {
	d := types.ResourceShareAssociation{
		ResourceShareArn: aws.String(s.arn), ResourceShareName: aws.String(s.name), AssociatedEntity: aws.String(a.entity),
		AssociationType: a.kind, Status: a.status(now), CreationTime: aws.Time(a.made), LastUpdatedTime: aws.Time(a.made), External: aws.Bool(false),
	}
	if d.Status == types.ResourceShareAssociationStatusFailed {
		d.StatusMessage = aws.String(a.failure)
	}
	return d
}
