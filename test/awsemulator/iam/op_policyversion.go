package iam

import (
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

func (a *Account) createPolicyVersion(r *service.Request, in *sdk.CreatePolicyVersionInput) (*sdk.CreatePolicyVersionOutput, error) {
	document, err := a.managedDocument(aws.ToString(in.PolicyDocument))
	if err != nil {
		return nil, err
	}
	var v *Version
	err = a.update(r.Now, func(s *State) error {
		p, err := findOwnPolicy(s, in.PolicyArn)
		if err != nil {
			return err
		}
		if quota := a.Quota(quotaVersionsPerPolicy); len(p.Versions) >= quota {
			return wire.Errorf(409, "LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", quota)
		}
		v = &Version{ID: "v" + strconv.Itoa(p.NextVersion), Created: r.Now, Document: document}
		s.putPolicy(p.with(func(p *Policy) {
			p.Versions = slices.Concat([]*Version{v}, p.Versions)
			p.NextVersion++
			p.Updated = r.Now
			if in.SetAsDefault {
				p.Default = v.ID
			}
		}))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreatePolicyVersionOutput{PolicyVersion: &types.PolicyVersion{
		VersionId: aws.String(v.ID), IsDefaultVersion: in.SetAsDefault, CreateDate: aws.Time(v.Created),
	}}, nil
}

func (a *Account) getPolicyVersion(r *service.Request, in *sdk.GetPolicyVersionInput) (*sdk.GetPolicyVersionOutput, error) {
	p, err := findPolicy(a.read(r.Now), in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, err := findVersion(p, in.VersionId)
	if err != nil {
		return nil, err
	}
	return &sdk.GetPolicyVersionOutput{PolicyVersion: v.out(p)}, nil
}

func (a *Account) listPolicyVersions(r *service.Request, in *sdk.ListPolicyVersionsInput) (*sdk.ListPolicyVersionsOutput, error) {
	p, err := findPolicy(a.read(r.Now), in.PolicyArn)
	if err != nil {
		return nil, err
	}
	page, err := paginate(a, in.Marker, in.MaxItems, sequence(p.Versions, versionOrder), nil)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListPolicyVersionsOutput{IsTruncated: page.truncated, Marker: page.marker, Versions: make([]types.PolicyVersion, len(page.items))}
	for i, v := range page.items {
		out.Versions[i] = *v.out(p)
		// The list leaves out documents.
		out.Versions[i].Document = nil
	}
	return out, nil
}

func (a *Account) setDefaultPolicyVersion(r *service.Request, in *sdk.SetDefaultPolicyVersionInput) (*sdk.SetDefaultPolicyVersionOutput, error) {
	return &sdk.SetDefaultPolicyVersionOutput{}, a.update(r.Now, func(s *State) error {
		p, err := findOwnPolicy(s, in.PolicyArn)
		if err != nil {
			return err
		}
		v, err := findVersion(p, in.VersionId)
		if err != nil {
			return err
		}
		s.putPolicy(p.with(func(p *Policy) { p.Default, p.Updated = v.ID, r.Now }))
		return nil
	})
}

func (a *Account) deletePolicyVersion(r *service.Request, in *sdk.DeletePolicyVersionInput) (*sdk.DeletePolicyVersionOutput, error) {
	return &sdk.DeletePolicyVersionOutput{}, a.update(r.Now, func(s *State) error {
		p, err := findOwnPolicy(s, in.PolicyArn)
		if err != nil {
			return err
		}
		v, err := findVersion(p, in.VersionId)
		if err != nil {
			return err
		}
		if v.ID == p.Default {
			return deleteConflict("Cannot delete the default version of a policy.")
		}
		s.putPolicy(p.with(func(p *Policy) { p.Versions = removed(p.Versions, v) }))
		return nil
	})
}

func findVersion(p *Policy, id *string) (*Version, error) {
	if !versionIDPattern.MatchString(aws.ToString(id)) {
		return nil, service.ValidationError("Value '%s' at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?", aws.ToString(id))
	}
	v := p.version(aws.ToString(id))
	if v == nil {
		return nil, noSuchVersion(p.ARN, aws.ToString(id))
	}
	return v, nil
}

func (v *Version) out(p *Policy) *types.PolicyVersion {
	return &types.PolicyVersion{
		VersionId: aws.String(v.ID), IsDefaultVersion: v.ID == p.Default, CreateDate: aws.Time(v.Created),
		Document: aws.String(encodeDocument(v.Text)),
	}
}

// versionOrder sorts versions newest first.
func versionOrder(v *Version) string {
	n, err := strconv.Atoi(v.ID[1:])
	if err != nil {
		n = 0
	}
	return fmt.Sprintf("%09d", 999999999-n)
}

// sequence yields a slice for paginate, in the order of keys that it is in.
func sequence[T any](items []T, keyOf func(T) string) func(string) iter.Seq2[string, T] {
	return func(after string) iter.Seq2[string, T] {
		return func(yield func(string, T) bool) {
			for _, item := range items {
				if k := keyOf(item); after == "" || k > after {
					if !yield(k, item) {
						return
					}
				}
			}
		}
	}
}
