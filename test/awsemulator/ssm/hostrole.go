package ssm

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

const (
	// hostSetting is the id of the service setting that names the role of default
	// host management. It is read only.
	hostSetting  = "/ssm/managed-instance/default-ec2-instance-management-role"
	hostResource = "servicesetting" + hostSetting
	// managedRole is the role that AWS makes and keeps, with its path. Neither has been
	// seen on a real account.
	managedRolePath = "/aws-reserved/ssm.amazonaws.com/"
	managedRoleName = "AWSReservedSSM_DefaultHostManagement"
	// managedPolicyName is AWS's policy for that role.
	managedPolicyName = "AmazonSSMManagedEC2InstanceDefaultPolicy"
	// hostOff is its value where no role is set.
	hostOff = "$None"
)

// SetHostRole sets the role of default host management by its name, which has its
// path before it; "" switches it off.
func (r *Region) SetHostRole(name string) {
	// Nothing in the change can fail.
	_ = r.update(r.Now(), func(s *State) error {
		s.hostRole = name
		return nil
	})
}

func (r *Region) isHostSetting(id *string) bool {
	text := aws.ToString(id)
	return text == hostSetting || text == r.ARN("ssm", hostResource)
}

func (r *Region) hostSetting(role string) *types.ServiceSetting {
	value, status := role, "Customized"
	if role == "" {
		value, status = hostOff, "Default"
	}
	return &types.ServiceSetting{
		ARN: aws.String(r.ARN("ssm", hostResource)), SettingId: aws.String(hostSetting), SettingValue: aws.String(value),
		Status: aws.String(status), LastModifiedUser: aws.String("System"), LastModifiedDate: aws.Time(time.Unix(0, 0)),
	}
}

// onHostSetting is the check of the calls that register default host management: they
// read and change the setting. A role of the account is passed.
func (r *Region) onHostSetting(req *service.Request, model types.DHMCPermissionModel, arn *string) []service.Check {
	setting := r.ARN("ssm", hostResource)
	checks := []service.Check{{Action: "ssm:GetServiceSetting", Resource: setting}, {Action: "ssm:UpdateServiceSetting", Resource: setting}}
	name := roleNameIn(arn)
	if name == "" && model == types.DHMCPermissionModelServiceManaged {
		// AWS makes the role in the name of the caller. Not seen on a real account.
		managed := r.ServiceRole(req.Now, managedRolePath[1:]+managedRoleName)
		for _, action := range []string{"iam:GetRole", "iam:CreateRole", "iam:AttachRolePolicy"} {
			c := service.Check{Action: action, Resource: managed.ARN, Context: managed.Context.Clone()}
			if action == "iam:AttachRolePolicy" {
				c.Context.Set("iam:PolicyARN", "arn:"+r.Partition+":iam::aws:policy/"+managedPolicyName)
			}
			checks = append(checks, c)
		}
	}
	if name != "" {
		role := r.ServiceRole(req.Now, name)
		pass := service.Check{Action: "iam:PassRole", Resource: role.ARN, Context: role.Context.Clone()}
		pass.Context.Set("iam:PassedToService", "ssm.amazonaws.com")
		checks = append(checks, pass)
	}
	return checks
}

// roleNameIn is the name in a role's ARN, with its path.
func roleNameIn(arn *string) string {
	_, name, _ := strings.Cut(aws.ToString(arn), ":role/")
	return name
}

func (r *Region) registerHostManagement(_ *service.Request, in *sdk.RegisterDefaultHostManagementConfigurationInput) (*sdk.RegisterDefaultHostManagementConfigurationOutput, error) {
	managed := in.PermissionModel == types.DHMCPermissionModelServiceManaged
	switch {
	case !slices.Contains(in.PermissionModel.Values(), in.PermissionModel):
		return nil, service.ValidationError("Value '%s' at 'permissionModel' failed to satisfy constraint", in.PermissionModel)
	case managed == (in.RoleArn != nil):
		return nil, service.ValidationError("RoleArn is required with SELF_MANAGED, and must not be set with SERVICE_MANAGED")
	case r.history.Latest().hostRole != "" && !in.Overwrite:
		return nil, service.ValidationError("A role is registered already. Set Overwrite to replace it")
	}
	if !managed {
		r.SetHostRole(roleNameIn(in.RoleArn))
		return &sdk.RegisterDefaultHostManagementConfigurationOutput{RoleArn: in.RoleArn}, nil
	}
	arn, err := r.MakeRole(managedRolePath, managedRoleName)
	if err != nil {
		return nil, err
	}
	r.SetHostRole(strings.TrimPrefix(managedRolePath, "/") + managedRoleName)
	return &sdk.RegisterDefaultHostManagementConfigurationOutput{RoleArn: aws.String(arn)}, nil
}

func (r *Region) deregisterHostManagement(_ *service.Request, _ *sdk.DeregisterDefaultHostManagementConfigurationInput) (*sdk.DeregisterDefaultHostManagementConfigurationOutput, error) {
	r.SetHostRole("")
	return &sdk.DeregisterDefaultHostManagementConfigurationOutput{}, nil
}
