package iam

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// Profile is an instance profile. It is immutable.
type Profile struct {
	Name, Path, ARN, ID string
	Created             time.Time
	// Role is the role's name, empty in a profile without one.
	Role string
}

var profileNamePattern = service.NewPattern("instanceProfileName", `[\w+=,.@-]+`, 1, 128)

// InstanceProfile finds an instance profile by its name.
func (s *State) InstanceProfile(name string) (*Profile, bool) { return s.profiles.Get(key(name)) }

// profilesOf are the instance profiles that hold a role.
func (s *State) profilesOf(role *Entity) []*Profile {
	if role.Kind != Role {
		return nil
	}
	var list []*Profile
	for p := range s.profiles.Values() {
		if key(p.Role) == key(role.Name) {
			list = append(list, p)
		}
	}
	return list
}

// AddInstanceProfile puts an instance profile into the account.
func (a *Account) AddInstanceProfile(f fixtures.InstanceProfile) error {
	if err := profileNamePattern.Check(f.Name); err != nil {
		return err
	}
	path := pathOr(f.Path)
	p := &Profile{
		Name: f.Name, Path: path, ARN: a.arn("instance-profile", path, f.Name), ID: a.Random.UniqueID("AIPA"), Created: a.Now(), Role: f.Role,
	}
	return a.update(a.Now(), func(s *State) error {
		if _, ok := s.InstanceProfile(f.Name); ok {
			return wire.Errorf(409, "EntityAlreadyExists", "Instance Profile %s already exists.", f.Name)
		}
		if _, ok := s.Entity(Role, f.Role); !ok && f.Role != "" {
			return noSuchEntity(Role, f.Role)
		}
		s.profiles = s.profiles.With(key(f.Name), p)
		return nil
	})
}

// SetProfileRole sets the role of an instance profile; "" removes it.
func (a *Account) SetProfileRole(profile, role string) error {
	return a.update(a.Now(), func(s *State) error {
		p, ok := s.InstanceProfile(profile)
		if !ok {
			return fmt.Errorf("there is no instance profile %s", profile)
		}
		if _, ok := s.Entity(Role, role); !ok && role != "" {
			return noSuchEntity(Role, role)
		}
		next := *p
		next.Role = role
		s.profiles = s.profiles.With(key(profile), &next)
		return nil
	})
}

// onProfile is the check of an operation on an instance profile.
func (a *Account) onProfile(r *service.Request, operation string, name *string) []service.Check {
	c := service.Check{Action: "iam:" + operation, Resource: a.arn("instance-profile", "/", aws.ToString(name))}
	if p, ok := a.ForEvaluation(r.Now).InstanceProfile(aws.ToString(name)); ok {
		c.Resource = p.ARN
	}
	return []service.Check{c}
}

func (a *Account) getInstanceProfile(r *service.Request, in *sdk.GetInstanceProfileInput) (*sdk.GetInstanceProfileOutput, error) {
	name := aws.ToString(in.InstanceProfileName)
	if err := profileNamePattern.Check(name); err != nil {
		return nil, err
	}
	s := a.read(r.Now)
	p, ok := s.InstanceProfile(name)
	if !ok {
		return nil, wire.Errorf(404, "NoSuchEntity", "Instance Profile %s cannot be found.", name)
	}
	out := s.profileOut(p)
	out.Tags = []types.Tag{}
	return &sdk.GetInstanceProfileOutput{InstanceProfile: &out}, nil
}

func (s *State) profileOut(p *Profile) types.InstanceProfile {
	out := types.InstanceProfile{
		Arn: aws.String(p.ARN), InstanceProfileId: aws.String(p.ID), InstanceProfileName: aws.String(p.Name), Path: aws.String(p.Path),
		CreateDate: aws.Time(p.Created), Roles: []types.Role{},
	}
	if e, ok := s.Entity(Role, p.Role); ok {
		role := *e.role()
		// Roles within a profile come without tags and boundary.
		role.Tags, role.PermissionsBoundary = nil, nil
		out.Roles = append(out.Roles, role)
	}
	return out
}
