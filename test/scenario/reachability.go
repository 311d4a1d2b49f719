package scenario

import (
	"encoding/json"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// Audited is a document that uses all that the fixture has: a log group, a bucket,
// a key.
const Audited = "audited"

func auditedDocument() fixtures.Document {
	content, err := json.Marshal(map[string]any{
		"schemaVersion": "1.0", "description": "Sessions on record", "sessionType": "Standard_Stream",
		"inputs": map[string]any{
			"s3BucketName": fixtures.S7Bucket, "s3KeyPrefix": "SessionManager", "s3EncryptionEnabled": true,
			"cloudWatchLogGroupName": fixtures.S7LogGroup, "cloudWatchEncryptionEnabled": true, "cloudWatchStreamingEnabled": true,
			"kmsKeyId": fixtures.S7Key,
		},
	})
	if err != nil {
		panic(err)
	}
	return fixtures.Document{Name: Audited, Content: content}
}

// BothStacks are S7 and S7NAT side by side.
func BothStacks() *fixtures.Fixture {
	f := fixtures.S7()
	r := f.Accounts[0].Regions[Region]
	r.Documents = append(r.Documents, auditedDocument())
	f.Accounts[0].Regions[Region] = r
	f.AddMachines(fixtures.S7NAT())
	return f
}

// ResyncAfter is longer than the resync interval of the tests, and than an
// instance may take to start.
const ResyncAfter = 6 * time.Minute

// ReachabilityActions has for each action that only a look at nodes needs the calls that
// it allows.
var ReachabilityActions = map[string]string{
	"ssm:GetConnectionStatus": "ssm:GetConnectionStatus", "ssm:DescribeInstanceInformation": "ssm:DescribeInstanceInformation", "ssm:GetDocument": "ssm:GetDocument",
	"ec2:DescribeNatGateways": "ec2:DescribeNatGateways",
	"ec2:DescribeNetworkAcls": "ec2:DescribeNetworkAcls", "ec2:DescribeSubnets": "ec2:DescribeSubnets", "ec2:DescribeRouteTables": "ec2:DescribeRouteTables",
	"ec2:DescribeSecurityGroupRules": "ec2:DescribeSecurityGroupRules", "ec2:DescribeVpcAttribute": "ec2:DescribeVpcAttribute",
	"ec2:DescribeVpcEndpoints": "ec2:DescribeVpcEndpoints", "ec2:DescribeInstances": "ec2:DescribeInstances",
	"ec2:GetManagedPrefixListEntries": "ec2:GetManagedPrefixListEntries",
	"iam:GetInstanceProfile":          "iam:GetInstanceProfile", "iam:SimulatePrincipalPolicy": "iam:SimulatePrincipalPolicy",
	"kms:DescribeKey": "kms:DescribeKey", "kms:GetKeyPolicy": "kms:GetKeyPolicy", "logs:DescribeLogGroups": "logs:DescribeLogGroups",
	"s3:GetEncryptionConfiguration": "s3:GetBucketEncryption",
}
