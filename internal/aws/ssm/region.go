// Package ssm is Systems Manager in one region of an account, and what its
// sessions refer to: documents, activations, managed nodes and their tags,
// sessions, service settings, and the log groups, buckets and keys that session
// documents name.
//
// Every method of a Region says how many calls it makes. Nothing is cached here.
package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
)

// Region is Systems Manager in one region of an account. Safe for concurrent use.
type Region struct {
	account *awsclient.Account
	name    string
}

// In is Systems Manager in a region of an account, such as "ap-northeast-1".
func In(account *awsclient.Account, region string) Region {
	return Region{account: account, name: region}
}

// client is the region's client, once it is sure that it leads to the right account.
func (r Region) client(ctx context.Context) (*ssm.Client, error) {
	clients, err := r.account.Clients(ctx)
	if err != nil {
		return nil, err
	}
	return clients.SSM(r.name), nil
}
