package iam

import (
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// Service returns IAM; of finds the account that a request is about.
func Service(of func(*service.Request) *Account) *service.Service {
	return &service.Service{
		Name: "iam", Dialect: wire.IAM,
		Operations: service.Collect(
			policyOperations(of), entityOperations(of), relationOperations(of), grantOperations(of), roleGrantOperations(of),
		),
	}
}
