package ec2

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// getManagedPrefixListEntries knows the lists of customers, not those of AWS's
// own services.
func (r *Region) getManagedPrefixListEntries(_ *service.Request, in *sdk.GetManagedPrefixListEntriesInput) (*sdk.GetManagedPrefixListEntriesOutput, error) {
	entries, ok := r.Network.State().PrefixLists.Get(aws.ToString(in.PrefixListId))
	if !ok {
		return nil, wire.Errorf(400, "InvalidPrefixListID.NotFound", "The prefix list ID '%s' does not exist", aws.ToString(in.PrefixListId))
	}
	page, next, err := list(r, listing[types.PrefixListEntry]{
		items: entries, token: in.NextToken, max: in.MaxResults, low: 1, high: 100,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetManagedPrefixListEntriesOutput{Entries: page, NextToken: next}, nil
}
