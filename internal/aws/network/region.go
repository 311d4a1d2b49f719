// Package network is the EC2 network of one region of an account, as far as it
// decides whether a node reaches Systems Manager: instances, subnets, network ACLs,
// routes, security groups and endpoints. It only reads.
//
// Every method of a Region says how many calls it makes. Nothing is cached here.
package network

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
)

const (
	// filterValues is the most values that EC2 takes in one filter.
	filterValues = 200
	// instancePage is the most instances that EC2 gives in one page.
	instancePage = 1000
	// networkPage is the most subnets, network ACLs, rules and endpoints that EC2
	// gives in one page.
	networkPage = 1000
	// routePage is the most route tables.
	routePage = 100
)

// Region is the network of one region of an account. Safe for concurrent use.
type Region struct {
	account *awsclient.Account
	name    string
}

// In is the network of a region of an account, such as "ap-northeast-1".
func In(account *awsclient.Account, region string) Region {
	return Region{account: account, name: region}
}

// client is the region's client, once it is sure that it leads to the right account.
func (r Region) client(ctx context.Context) (*ec2.Client, error) {
	clients, err := r.account.Clients(ctx)
	if err != nil {
		return nil, err
	}
	return clients.EC2(r.name), nil
}

// paginator is what all paginators of the SDK for EC2 have in common.
type paginator[O any] interface {
	HasMorePages() bool
	NextPage(ctx context.Context, options ...func(*ec2.Options)) (O, error)
}

// eachPage reads all pages.
func eachPage[O any](ctx context.Context, pages paginator[O], take func(O)) error {
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		take(page)
	}
	return nil
}

// byFilter reads what a filter with many values matches, in as few calls as EC2
// allows.
func (r Region) byFilter(ctx context.Context, name string, values []string, what string, read func(*ec2.Client, []ec2types.Filter) error) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(values, filterValues) {
		if err := read(client, []ec2types.Filter{{Name: &name, Values: chunk}}); err != nil {
			return r.account.Explain(err, "reading %s in %s", what, r.name)
		}
	}
	return nil
}
