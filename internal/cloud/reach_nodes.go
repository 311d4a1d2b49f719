package cloud

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// NodeAgents reads what SSM knows of nodes by id, "i-…" or "mi-…". A node that
// it does not know, or that is a stopped instance, is left out. One call for 50.
func (a *Account) NodeAgents(ctx context.Context, region string, ids []string) (map[string]check.Agent, error) {
	found := map[string]check.Agent{}
	for chunk := range slices.Chunk(ids, nodePage) {
		filters := []ssmtypes.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: chunk}}
		if _, err := a.describeAgents(ctx, region, filters, len(chunk), found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// TaggedAgents reads what SSM knows of the nodes that carry all the tags, limit
// of them at most; more says that there are others. One call for 50.
func (a *Account) TaggedAgents(ctx context.Context, region string, tags map[string]string, limit int) (found map[string]check.Agent, more bool, err error) {
	var filters []ssmtypes.InstanceInformationStringFilter
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		filters = append(filters, ssmtypes.InstanceInformationStringFilter{Key: aws.String("tag:" + key), Values: []string{tags[key]}})
	}
	found = map[string]check.Agent{}
	more, err = a.describeAgents(ctx, region, filters, limit, found)
	return found, more, err
}

// describeAgents reads pages until there are limit nodes.
func (a *Account) describeAgents(ctx context.Context, region string, filters []ssmtypes.InstanceInformationStringFilter, limit int, into map[string]check.Agent) (more bool, err error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return false, err
	}
	pages := ssm.NewDescribeInstanceInformationPaginator(clients.ssmIn(region), &ssm.DescribeInstanceInformationInput{
		Filters: filters, MaxResults: aws.Int32(nodePage),
	})
	for n := 0; pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, a.explain(err, "reading what Systems Manager knows of nodes in %s", region)
		}
		for i := range page.InstanceInformationList {
			if n == limit {
				return true, nil
			}
			info := &page.InstanceInformationList[i]
			into[aws.ToString(info.InstanceId)] = agentOf(info)
			n++
		}
	}
	return false, nil
}

func agentOf(i *ssmtypes.InstanceInformation) check.Agent {
	return check.Agent{
		Registered: true, PingStatus: string(i.PingStatus), LastPing: aws.ToTime(i.LastPingDateTime),
		Version: aws.ToString(i.AgentVersion), Platform: string(i.PlatformType),
		Activation: aws.ToString(i.ActivationId), Role: aws.ToString(i.IamRole),
	}
}

// ConnectionStatus asks whether sessions reach a node. One that does not exist
// is not connected. One call.
func (a *Account) ConnectionStatus(ctx context.Context, region, id string) (check.ConnectionStatus, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return "", err
	}
	out, err := clients.ssmIn(region).GetConnectionStatus(ctx, &ssm.GetConnectionStatusInput{Target: &id})
	if err != nil {
		return "", a.explain(err, "asking whether node %s in %s is connected", id, region)
	}
	return check.ConnectionStatus(out.Status), nil
}
