package ssm

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
func (r Region) NodeAgents(ctx context.Context, ids []string) (map[string]check.Agent, error) {
	found := map[string]check.Agent{}
	for chunk := range slices.Chunk(ids, nodePage) {
		filters := []ssmtypes.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: chunk}}
		if _, err := r.describeAgents(ctx, filters, len(chunk), found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// TaggedAgents reads what SSM knows of the nodes that carry all the tags, limit
// of them at most; more says that there are others. One call for 50.
func (r Region) TaggedAgents(ctx context.Context, tags map[string]string, limit int) (found map[string]check.Agent, more bool, err error) {
	var filters []ssmtypes.InstanceInformationStringFilter
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		filters = append(filters, ssmtypes.InstanceInformationStringFilter{Key: aws.String("tag:" + key), Values: []string{tags[key]}})
	}
	found = map[string]check.Agent{}
	more, err = r.describeAgents(ctx, filters, limit, found)
	return found, more, err
}

// describeAgents reads pages until there are limit nodes.
func (r Region) describeAgents(ctx context.Context, filters []ssmtypes.InstanceInformationStringFilter, limit int, into map[string]check.Agent) (more bool, err error) {
	client, err := r.client(ctx)
	if err != nil {
		return false, err
	}
	pages := ssm.NewDescribeInstanceInformationPaginator(client, &ssm.DescribeInstanceInformationInput{
		Filters: filters, MaxResults: aws.Int32(nodePage),
	})
	for n := 0; pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, r.account.Explain(err, "reading what Systems Manager knows of nodes in %s", r.name)
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
		Source: string(i.SourceType), SourceID: aws.ToString(i.SourceId),
	}
}

// ConnectionStatus asks whether sessions reach a node. One that does not exist
// is not connected. One call.
func (r Region) ConnectionStatus(ctx context.Context, id string) (check.ConnectionStatus, error) {
	client, err := r.client(ctx)
	if err != nil {
		return "", err
	}
	out, err := client.GetConnectionStatus(ctx, &ssm.GetConnectionStatusInput{Target: &id})
	if err != nil {
		return "", r.account.Explain(err, "asking whether node %s in %s is connected", id, r.name)
	}
	return check.ConnectionStatus(out.Status), nil
}
