package ssm

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

const (
	// hybridNodePrefix begins the ids of nodes that are no EC2 instances.
	hybridNodePrefix = "mi-"
	// filterValues is the most values that EC2 takes in one filter.
	filterValues = 200
	// instancePage is the most instances that EC2 gives in one page.
	instancePage = 1000
	// codeNoSuchNode is SSM's error for a node that it does not know.
	codeNoSuchNode = "InvalidResourceId"
)

// NodeTags reads the tags of nodes by id, "i-…" or "mi-…". A node that does
// not exist is left out; one without tags has an empty map. Where some cannot be
// read, the tags of the others come with an *[UnreadNodesError]. One call for 200
// EC2 instances, one for every other node.
func (r Region) NodeTags(ctx context.Context, ids []string) (map[string]map[string]string, error) {
	clients, err := r.account.Clients(ctx)
	if err != nil {
		return nil, err
	}
	tags := map[string]map[string]string{}
	unread := &UnreadNodesError{Nodes: map[string]error{}}
	var instances []string
	for _, id := range ids {
		if !strings.HasPrefix(id, hybridNodePrefix) {
			instances = append(instances, id)
			continue
		}
		if err := hybridNodeTags(ctx, clients.SSM(r.name), id, tags); err != nil {
			unread.Nodes[id] = r.account.Explain(err, "reading the tags of node %s in %s", id, r.name)
		}
	}
	for chunk := range slices.Chunk(instances, filterValues) {
		if err := instanceTags(ctx, clients.EC2(r.name), chunk, tags); err != nil {
			err = r.account.Explain(err, "reading the tags of instances in %s", r.name)
			for _, id := range chunk {
				unread.Nodes[id] = err
			}
		}
	}
	if len(unread.Nodes) > 0 {
		return tags, unread
	}
	return tags, nil
}

// UnreadNodesError says which nodes could not be read, and why.
type UnreadNodesError struct {
	// Nodes by id.
	Nodes map[string]error
}

// Error is about the first node in the order of ids.
func (e *UnreadNodesError) Error() string { return e.Unwrap().Error() }

// Unwrap is what is wrong with the first node in the order of ids.
func (e *UnreadNodesError) Unwrap() error {
	return e.Nodes[slices.Min(slices.Collect(maps.Keys(e.Nodes)))]
}

// instanceTags reads by filter: by id, one instance that is gone would fail
// the call for all.
func instanceTags(ctx context.Context, client *ec2.Client, ids []string, into map[string]map[string]string) error {
	pages := ec2.NewDescribeInstancesPaginator(client, &ec2.DescribeInstancesInput{
		Filters:    []ec2types.Filter{{Name: aws.String("instance-id"), Values: ids}},
		MaxResults: aws.Int32(instancePage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, reservation := range page.Reservations {
			for _, instance := range reservation.Instances {
				tags := map[string]string{}
				for _, tag := range instance.Tags {
					tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
				}
				into[aws.ToString(instance.InstanceId)] = tags
			}
		}
	}
	return nil
}

func hybridNodeTags(ctx context.Context, client *ssm.Client, id string, into map[string]map[string]string) error {
	out, err := client.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
		ResourceType: ssmtypes.ResourceTypeForTaggingManagedInstance, ResourceId: &id,
	})
	if awserr.Code(err) == codeNoSuchNode {
		return nil
	}
	if err != nil {
		return err
	}
	tags := map[string]string{}
	for _, tag := range out.TagList {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	into[id] = tags
	return nil
}
