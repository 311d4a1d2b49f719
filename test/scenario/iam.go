package scenario

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// IAMWrites counts the calls that changed IAM.
func (w World) IAMWrites() int {
	n := 0
	for _, call := range w.Emulator.CallLog(0) {
		if call.Service == "iam" && call.Write && call.Code == "" {
			n++
		}
	}
	return n
}

// AddForeignPolicy puts a policy into the account behind the operator's back.
func (w World) AddForeignPolicy(p fixtures.Policy) {
	w.T.Helper()
	_, err := w.Emulator.Account(AccountID).IAM.AddPolicy(p)
	w.Must(err)
}

// AllowAllOfSSM is a policy that allows every action of Systems Manager.
const AllowAllOfSSM = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:*","Resource":"*"}]}`

// OwnedPolicies lists the operator's policies in AWS.
func (w World) OwnedPolicies() []*iam.Policy {
	var ours []*iam.Policy
	for p := range w.Emulator.Account(AccountID).IAM.Latest().Policies() {
		if p.Path == "/ssm-access/"+testenv.DefaultOwner+"/" {
			ours = append(ours, p)
		}
	}
	slices.SortFunc(ours, func(a, b *iam.Policy) int { return len(a.Name) - len(b.Name) })
	return ours
}
