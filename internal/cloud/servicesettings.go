package cloud

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
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

func (*UnknownSettingError) class() Class { return Invalid }

// TierSetting reads the instances tier of a region. One call.
func (a *Account) TierSetting(ctx context.Context, region string) (TierSetting, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return TierSetting{}, err
	}
	out, err := clients.ssmIn(region).GetServiceSetting(ctx, &ssm.GetServiceSettingInput{SettingId: aws.String(tierSetting)})
	if err != nil {
		return TierSetting{}, a.explain(err, "reading the instances tier of %s", region)
	}
	return tierOf(out.ServiceSetting, region)
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
func (a *Account) SetTier(ctx context.Context, region string, tier Tier) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).UpdateServiceSetting(ctx, &ssm.UpdateServiceSettingInput{
		SettingId: aws.String(tierSetting), SettingValue: aws.String(string(tier)),
	})
	return a.explain(err, "changing the instances tier of %s to %s", region, tier)
}

// ResetTier asks AWS to put the instances tier of a region back to its default,
// which is Standard. One call.
func (a *Account) ResetTier(ctx context.Context, region string) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).ResetServiceSetting(ctx, &ssm.ResetServiceSettingInput{SettingId: aws.String(tierSetting)})
	return a.explain(err, "putting the instances tier of %s back to its default", region)
}

// nodePage is the most managed nodes that SSM gives in one page.
const nodePage = 50

// CountHybridNodes counts the registered nodes of a region that are no EC2
// instances. One call for 50.
func (a *Account) CountHybridNodes(ctx context.Context, region string) (int, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return 0, err
	}
	pages := ssm.NewDescribeInstanceInformationPaginator(clients.ssmIn(region), &ssm.DescribeInstanceInformationInput{
		MaxResults: aws.Int32(nodePage),
		Filters: []types.InstanceInformationStringFilter{
			{Key: aws.String("ResourceType"), Values: []string{string(types.ResourceTypeManagedInstance)}},
		},
	})
	nodes := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, a.explain(err, "counting the hybrid nodes in %s", region)
		}
		nodes += len(page.InstanceInformationList)
	}
	return nodes, nil
}
