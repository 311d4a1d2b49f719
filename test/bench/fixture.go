package main

import (
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// fixture is an account with the operator, the suite's users and its machines.
func (s suite) fixture() *fixtures.Fixture {
	f := fixtures.S7()
	account := &f.Accounts[0]
	for _, user := range s.users {
		account.Users = append(account.Users, fixtures.User{Name: user})
	}
	if s.machines != nil {
		region := account.Regions[fixtures.S7Region]
		s.machines(account, &region)
		account.Regions[fixtures.S7Region] = region
	}
	f.Accounts = append(f.Accounts, s.further...)
	return f
}

// connected gives each of a number of grants that many instances that sessions
// reach. All granted instances exist, as they do in a real account: each instance
// that the operator does not find would cost it a call.
func connected(grants, instances int) func(*fixtures.Account, *fixtures.Region) {
	return func(_ *fixtures.Account, r *fixtures.Region) {
		for seed := range grants {
			for _, id := range instanceIDs(seed, 0, instances) {
				r.Instances = append(r.Instances, fixtures.Instance{ID: string(id), Agent: &fixtures.Agent{}})
			}
		}
	}
}

// instanceIDs are n instances from a number on. Two seeds share none.
func instanceIDs(seed, from, n int) []v1alpha1.InstanceID {
	ids := make([]v1alpha1.InstanceID, n)
	for i := range ids {
		ids[i] = v1alpha1.InstanceID(fmt.Sprintf("i-%09x%08x", seed, from+i))
	}
	return ids
}
