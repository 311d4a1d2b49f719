package iam

import (
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// FullAWSAccess is the service control policy that AWS attaches at every level of an
// organisation until it is replaced.
const FullAWSAccess = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// SetServiceControlPolicies replaces the service control policies that apply to the
// account: the documents of each level, from the root of the organisation to the
// account. Without a level the account is in no organisation.
func (a *Account) SetServiceControlPolicies(levels ...[]string) error {
	var organization [][]authz.Policy
	for i, documents := range levels {
		var level []authz.Policy
		for j, text := range documents {
			parsed, err := authz.Parse([]byte(text))
			if err != nil {
				return fmt.Errorf("service control policy %d of level %d: %w", j+1, i+1, err)
			}
			level = append(level, authz.Policy{Name: fmt.Sprintf("p-%d%d", i+1, j+1), Document: parsed})
		}
		organization = append(organization, level)
	}
	return a.update(a.Now(), func(s *State) error {
		s.organization = organization
		return nil
	})
}
