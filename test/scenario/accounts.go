package scenario

import (
	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// TwoAccounts is the fixture with a second account, in which the operator assumes a role.
func TwoAccounts() *fixtures.Fixture {
	f := fixtures.S1()
	first := f.Accounts[0]
	second := fixtures.Account{ID: OtherAccountID, Users: []fixtures.User{{Name: "user01"}}, Policies: first.Policies, Regions: first.Regions}
	for _, role := range first.Roles {
		if role.ID = ""; role.Name == "ssm-access-operator" {
			role.Trust = []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + UserARN("ssm-access-operator") + `"},"Action":"sts:AssumeRole"}]}`)
		}
		second.Roles = append(second.Roles, role)
	}
	f.Accounts = append(f.Accounts, second)
	return f
}

// OtherAccount is an AWSAccount of the second account.
func OtherAccount(change ...func(*v1alpha1.AWSAccount)) *v1alpha1.AWSAccount {
	a := Account(change...)
	a.Name, a.Spec.AccountID = "other", OtherAccountID
	a.Spec.AssumeRole = &v1alpha1.AssumeRole{RoleARN: "arn:aws:iam::" + OtherAccountID + ":role/ssm-access-operator"}
	return a
}

// Shard labels an AWSAccount for the manager of a shard.
func Shard(name string) func(*v1alpha1.AWSAccount) {
	return func(a *v1alpha1.AWSAccount) { a.Labels = map[string]string{"shard": name} }
}
