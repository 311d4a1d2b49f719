package cloud

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// nodeFilterValues is the most values that SSM takes in one filter.
const nodeFilterValues = 100

// HybridNode is a managed node that is no EC2 instance.
type HybridNode struct {
	// ID is "mi-…".
	ID   string
	Name string
	// Ping is Online, ConnectionLost or Inactive.
	Ping         string
	AgentVersion string
	// ActivationID with which it registered.
	ActivationID string
}

// HybridNodes lists the non-EC2 nodes of a region, no matter who registered
// them. One call for 50.
func (a *Account) HybridNodes(ctx context.Context, region string) ([]HybridNode, error) {
	return a.hybridNodes(ctx, region, types.InstanceInformationStringFilter{
		Key: aws.String("ResourceType"), Values: []string{string(types.ResourceTypeManagedInstance)},
	})
}

// HybridNodesOf lists the nodes of a region that registered with one of the
// activations. One call for 50, and at least one for 100 activations.
func (a *Account) HybridNodesOf(ctx context.Context, region string, activations ...string) ([]HybridNode, error) {
	return a.hybridNodesBy(ctx, region, "ActivationIds", activations)
}

// HybridNodesTagged lists the nodes of a region that have a tag with one of the
// values, without the value that each has. One call for 50, and at least one
// for 100 values.
func (a *Account) HybridNodesTagged(ctx context.Context, region, key string, values ...string) ([]HybridNode, error) {
	// Filters by tag do not combine with others.
	return a.hybridNodesBy(ctx, region, "tag:"+key, values)
}

func (a *Account) hybridNodesBy(ctx context.Context, region, key string, values []string) ([]HybridNode, error) {
	var nodes []HybridNode
	for chunk := range slices.Chunk(values, nodeFilterValues) {
		found, err := a.hybridNodes(ctx, region, types.InstanceInformationStringFilter{Key: &key, Values: chunk})
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, found...)
	}
	return nodes, nil
}

func (a *Account) hybridNodes(ctx context.Context, region string, filter types.InstanceInformationStringFilter) ([]HybridNode, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return nil, err
	}
	var nodes []HybridNode
	pages := ssm.NewDescribeInstanceInformationPaginator(clients.ssmIn(region), &ssm.DescribeInstanceInformationInput{
		Filters: []types.InstanceInformationStringFilter{filter}, MaxResults: aws.Int32(nodePage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, a.explain(err, "listing the hybrid nodes in %s", region)
		}
		for i := range page.InstanceInformationList {
			info := &page.InstanceInformationList[i]
			if info.ResourceType != types.ResourceTypeManagedInstance {
				continue // An EC2 instance may carry the tag.
			}
			nodes = append(nodes, HybridNode{
				ID: aws.ToString(info.InstanceId), Name: aws.ToString(info.Name), Ping: string(info.PingStatus),
				AgentVersion: aws.ToString(info.AgentVersion), ActivationID: aws.ToString(info.ActivationId),
			})
		}
	}
	return nodes, nil
}

// DeregisterNode ends that a machine is a managed node. One that is gone is
// fine. One call.
func (a *Account) DeregisterNode(ctx context.Context, region, id string) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).DeregisterManagedInstance(ctx, &ssm.DeregisterManagedInstanceInput{InstanceId: &id})
	if Classify(err) == Missing {
		return nil
	}
	return a.explain(err, "deregistering node %s in %s", id, region)
}

// TagNode puts tags on a hybrid node; those of the same keys are replaced. A
// node that is gone is fine. One call.
func (a *Account) TagNode(ctx context.Context, region, id string, tags map[string]string) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingManagedInstance, ResourceId: &id, Tags: ssmTags(tags),
	})
	if Classify(err) == Missing {
		return nil
	}
	return a.explain(err, "tagging node %s in %s", id, region)
}
