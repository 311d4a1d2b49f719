package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (a *Account) getAccountSummary(r *service.Request, _ *sdk.GetAccountSummaryInput) (*sdk.GetAccountSummaryOutput, error) {
	s := a.read(r.Now)
	summary := a.Quotas()
	for name, count := range map[string]int{
		"Users": s.users.Len(), "Groups": s.groups.Len(), "Roles": s.roles.Len(), "Policies": s.policies.Len(),
		"PolicyVersionsInUse": s.versionsInUse(),
	} {
		summary[name] = int32(count)
	}
	for _, none := range []string{
		"InstanceProfiles", "ServerCertificates", "MFADevices", "MFADevicesInUse", "AccountMFAEnabled",
		"AccountAccessKeysPresent", "AccountSigningCertificatesPresent", "Providers",
	} {
		summary[none] = 0
	}
	return &sdk.GetAccountSummaryOutput{SummaryMap: summary}, nil
}

// versionsInUse counts the versions of the account's own policies.
func (s *State) versionsInUse() int {
	n := 0
	for p := range s.Policies() {
		n += len(p.Versions)
	}
	return n
}
