package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// putBoundary sets the permissions boundary of a user or role.
func (a *Account) putBoundary(r *service.Request, kind Kind, name, arn *string) error {
	return a.update(r.Now, func(s *State) error {
		e, err := changeable(s, kind, name)
		if err != nil {
			return err
		}
		p, err := findPolicy(s, arn)
		if err != nil {
			return err
		}
		s.setBoundary(e, p.ARN)
		return nil
	})
}

func (a *Account) deleteBoundary(r *service.Request, kind Kind, name *string) error {
	return a.update(r.Now, func(s *State) error {
		e, err := changeable(s, kind, name)
		if err != nil {
			return err
		}
		s.setBoundary(e, "")
		return nil
	})
}

func (a *Account) putUserPermissionsBoundary(r *service.Request, in *sdk.PutUserPermissionsBoundaryInput) (*sdk.PutUserPermissionsBoundaryOutput, error) {
	return &sdk.PutUserPermissionsBoundaryOutput{}, a.putBoundary(r, User, in.UserName, in.PermissionsBoundary)
}

func (a *Account) putRolePermissionsBoundary(r *service.Request, in *sdk.PutRolePermissionsBoundaryInput) (*sdk.PutRolePermissionsBoundaryOutput, error) {
	return &sdk.PutRolePermissionsBoundaryOutput{}, a.putBoundary(r, Role, in.RoleName, in.PermissionsBoundary)
}

func (a *Account) deleteUserPermissionsBoundary(r *service.Request, in *sdk.DeleteUserPermissionsBoundaryInput) (*sdk.DeleteUserPermissionsBoundaryOutput, error) {
	return &sdk.DeleteUserPermissionsBoundaryOutput{}, a.deleteBoundary(r, User, in.UserName)
}

func (a *Account) deleteRolePermissionsBoundary(r *service.Request, in *sdk.DeleteRolePermissionsBoundaryInput) (*sdk.DeleteRolePermissionsBoundaryOutput, error) {
	return &sdk.DeleteRolePermissionsBoundaryOutput{}, a.deleteBoundary(r, Role, in.RoleName)
}
