package network

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// tags makes EC2's tags of a name and others, in the order of their keys.
func tags(name string, more map[string]string) []types.Tag {
	all := maps.Clone(more)
	if name != "" {
		if all == nil {
			all = map[string]string{}
		}
		all["Name"] = name
	}
	list := []types.Tag{}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(all[k])})
	}
	return list
}
