package ssm

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// tierSetting is the id of the service setting that holds the instances tier.
const tierSetting = "/ssm/managed-instance/activation-tier"

// settingStatusPending is the status of a setting that is being changed.
const settingStatusPending = "PendingUpdate"

// settingStatusCustomized is the status of a setting that has been changed from
// its default.
const settingStatusCustomized = "Customized"

// Tier is the instances tier of the hybrid nodes of an account and region, as
// the service setting spells it.
type Tier string

// The tiers.
const (
	// Standard opens no sessions on hybrid nodes, and costs nothing.
	Standard Tier = "standard"
	// Advanced opens sessions on them, and is charged by the node and hour.
	Advanced Tier = "advanced"
)

// TierSetting is the instances tier of one region.
type TierSetting struct {
	// Tier as AWS answers it. While a change is pending it is not known whether
	// that is the tier before or after it.
	Tier Tier
	// Customized: the setting was set. Otherwise it has AWS's default.
	Customized bool
	// Pending: AWS is changing it.
	Pending bool
}

// UnknownSettingError means that AWS returned a value of a service setting that
// the operator does not know.
type UnknownSettingError struct{ ID, Value, Region string }

// Error implements error.
func (e *UnknownSettingError) Error() string {
	return fmt.Sprintf("AWS answered %q for the service setting %s in %s, where standard or advanced of %s was expected", e.Value, e.ID, e.Region, tierSetting)
}

// Class implements awserr.Classified.
func (*UnknownSettingError) Class() awserr.Class { return awserr.Invalid }

// TierSetting reads the instances tier of a region. One call.
func (r Region) TierSetting(ctx context.Context) (TierSetting, error) {
	client, err := r.client(ctx)
	if err != nil {
		return TierSetting{}, err
	}
	out, err := client.GetServiceSetting(ctx, &ssm.GetServiceSettingInput{SettingId: aws.String(tierSetting)})
	if err != nil {
		return TierSetting{}, r.account.Explain(err, "reading the instances tier of %s", r.name)
	}
	return tierOf(out.ServiceSetting, r.name)
}

func tierOf(s *types.ServiceSetting, region string) (TierSetting, error) {
	if s == nil {
		s = &types.ServiceSetting{}
	}
	id, tier := settingID(aws.ToString(s.SettingId)), Tier(aws.ToString(s.SettingValue))
	if id != tierSetting || (tier != Standard && tier != Advanced) {
		return TierSetting{}, &UnknownSettingError{ID: id, Value: string(tier), Region: region}
	}
	status := aws.ToString(s.Status)
	return TierSetting{Tier: tier, Customized: status == settingStatusCustomized, Pending: status == settingStatusPending}, nil
}

// settingID is the short id of a service setting, which AWS may answer by its
// ARN instead: arn:aws:ssm:<region>:<account>:servicesetting/ssm/….
func settingID(id string) string {
	if !strings.HasPrefix(id, "arn:") {
		return id
	}
	_, name, _ := strings.Cut(id, ":servicesetting/")
	return "/" + strings.TrimPrefix(name, "/")
}

// SetTier asks AWS to change the instances tier of a region. That AWS accepts
// does not mean that the tier has changed: read it again. One call.
func (r Region) SetTier(ctx context.Context, tier Tier) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.UpdateServiceSetting(ctx, &ssm.UpdateServiceSettingInput{
		SettingId: aws.String(tierSetting), SettingValue: aws.String(string(tier)),
	})
	return r.account.Explain(err, "changing the instances tier of %s to %s", r.name, tier)
}

// ResetTier asks AWS to put the instances tier of a region back to its default,
// which is Standard. One call.
func (r Region) ResetTier(ctx context.Context) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.ResetServiceSetting(ctx, &ssm.ResetServiceSettingInput{SettingId: aws.String(tierSetting)})
	return r.account.Explain(err, "putting the instances tier of %s back to its default", r.name)
}

// hostRoleSetting is the id of the service setting that names the role of
// default host management, hostRoleOff its value where that is off.
const (
	hostRoleSetting = "/ssm/managed-instance/default-ec2-instance-management-role"
	hostRoleOff     = "$None"
)

// HostManagementRole reads the name of the role that default host management
// gives to the instances of a region, with its path before it; "" where it is
// off. Since 2026-11 it may be a role that AWS made under a path of its own: the setting
// holds that one too. It could not be tried how it spells such a path. One call.
func (r Region) HostManagementRole(ctx context.Context) (string, error) {
	client, err := r.client(ctx)
	if err != nil {
		return "", err
	}
	out, err := client.GetServiceSetting(ctx, &ssm.GetServiceSettingInput{SettingId: aws.String(hostRoleSetting)})
	switch {
	case awserr.Code(err) == "ServiceSettingNotFound":
		return "", nil
	case err != nil:
		return "", r.account.Explain(err, "reading the default host management of %s", r.name)
	case out.ServiceSetting == nil || aws.ToString(out.ServiceSetting.SettingValue) == hostRoleOff:
		return "", nil
	}
	return aws.ToString(out.ServiceSetting.SettingValue), nil
}
