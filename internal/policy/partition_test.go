package policy_test

import (
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// A policy of one partition is that of another with its ARNs and regions.
func TestEveryKindOfPrincipalHasItsPolicyInEveryPartition(t *testing.T) {
	for partition, regions := range map[string][2]string{
		"aws-cn": {"cn-north-1", "cn-northwest-1"}, "aws-us-gov": {"us-gov-east-1", "us-gov-west-1"}, "aws-iso": {"us-iso-east-1", "us-iso-west-1"},
		"aws-iso-b": {"us-isob-east-1", "us-isob-west-1"}, "aws-eusc": {"eusc-de-east-1", "eusc-de-east-2"},
	} {
		moved := strings.NewReplacer("arn:aws:", "arn:"+partition+":", "ap-northeast-1", regions[0], "us-east-1", regions[1])
		for _, kind := range []policy.Kind{policy.User, policy.Group, policy.Role, policy.PermissionSet} {
			there := everything()
			there.Regions = regions[:]
			for i := range there.Documents {
				there.Documents[i].KMSKeyARN = moved.Replace(there.Documents[i].KMSKeyARN)
			}
			p := policy.Principal{Kind: kind, Name: "ops"}
			plan, err := policy.Compile(policy.Account{ID: account.ID, Partition: partition}, p, []policy.Grant{there}, nil, quotas, noon)
			if err != nil || len(plan.Documents) != 1 {
				t.Errorf("%s in %s: %d documents, %v", kind, partition, len(plan.Documents), err)
				continue
			}
			if got, want := plan.Documents[0], moved.Replace(one(t, p, everything())); got != want {
				t.Errorf("%s in %s has\n%s\nwant\n%s", kind, partition, got, want)
			}
		}
	}
}
