package ssm

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

const (
	// nodePage is the most managed nodes that SSM gives in one page.
	nodePage = 50
	// nodeFilterValues is the most values that SSM takes in one filter.
	nodeFilterValues = 100
)

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
func (r Region) HybridNodes(ctx context.Context) ([]HybridNode, error) {
	return r.hybridNodes(ctx, types.InstanceInformationStringFilter{
		Key: aws.String("ResourceType"), Values: []string{string(types.ResourceTypeManagedInstance)},
	})
}

// HybridNodesOf lists the nodes of a region that registered with one of the
// activations. One call for 50, and at least one for 100 activations.
func (r Region) HybridNodesOf(ctx context.Context, activations ...string) ([]HybridNode, error) {
	return r.hybridNodesBy(ctx, "ActivationIds", activations)
}

// HybridNodesTagged lists the nodes of a region that have a tag with one of the
// values, without the value that each has. One call for 50, and at least one
// for 100 values.
func (r Region) HybridNodesTagged(ctx context.Context, key string, values ...string) ([]HybridNode, error) {
	// Filters by tag do not combine with others.
	return r.hybridNodesBy(ctx, "tag:"+key, values)
}

// HybridNodesWithTag lists the nodes of a region that have a tag of the key, whatever its
// value. One call for 50.
func (r Region) HybridNodesWithTag(ctx context.Context, key string) ([]HybridNode, error) {
	return r.hybridNodesBy(ctx, "tag-key", []string{key})
}

func (r Region) hybridNodesBy(ctx context.Context, key string, values []string) ([]HybridNode, error) {
	var nodes []HybridNode
	for chunk := range slices.Chunk(values, nodeFilterValues) {
		found, err := r.hybridNodes(ctx, types.InstanceInformationStringFilter{Key: &key, Values: chunk})
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, found...)
	}
	return nodes, nil
}

func (r Region) hybridNodes(ctx context.Context, filter types.InstanceInformationStringFilter) ([]HybridNode, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	var nodes []HybridNode
	pages := ssm.NewDescribeInstanceInformationPaginator(client, &ssm.DescribeInstanceInformationInput{
		Filters: []types.InstanceInformationStringFilter{filter}, MaxResults: aws.Int32(nodePage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.account.Explain(err, "listing the hybrid nodes in %s", r.name)
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
func (r Region) DeregisterNode(ctx context.Context, id string) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.DeregisterManagedInstance(ctx, &ssm.DeregisterManagedInstanceInput{InstanceId: &id})
	if awserr.Classify(err) == awserr.Missing {
		return nil
	}
	return r.account.Explain(err, "deregistering node %s in %s", id, r.name)
}

// TagNode puts tags on a hybrid node; those of the same keys are replaced. A
// node that is gone is fine. One call.
func (r Region) TagNode(ctx context.Context, id string, tags map[string]string) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingManagedInstance, ResourceId: &id, Tags: tagList(tags),
	})
	if awserr.Classify(err) == awserr.Missing {
		return nil
	}
	return r.account.Explain(err, "tagging node %s in %s", id, r.name)
}

// CountHybridNodes counts the registered nodes of a region that are no EC2
// instances. One call for 50.
func (r Region) CountHybridNodes(ctx context.Context) (int, error) {
	client, err := r.client(ctx)
	if err != nil {
		return 0, err
	}
	pages := ssm.NewDescribeInstanceInformationPaginator(client, &ssm.DescribeInstanceInformationInput{
		MaxResults: aws.Int32(nodePage),
		Filters: []types.InstanceInformationStringFilter{
			{Key: aws.String("ResourceType"), Values: []string{string(types.ResourceTypeManagedInstance)}},
		},
	})
	nodes := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, r.account.Explain(err, "counting the hybrid nodes in %s", r.name)
		}
		nodes += len(page.InstanceInformationList)
	}
	return nodes, nil
}
