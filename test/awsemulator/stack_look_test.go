package awsemulator_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// look reads all that a verdict could rest on, and writes down the answers or
// error codes by call.
func (w *world) look(node string) map[string]string {
	w.t.Helper()
	c, e, n := ctx(w.t), w.ec2(admin), must(w.fleetNode(node))(w.t)
	const role, profile = "stg-EC2SSMRoleForRDSAccess", "stg-ec2-instance-profile"
	seen := map[string]string{
		"DescribeInstances":           written(e.DescribeInstances(c, &ec2.DescribeInstancesInput{InstanceIds: []string{node}})),
		"DescribeSecurityGroupRules":  written(e.DescribeSecurityGroupRules(c, &ec2.DescribeSecurityGroupRulesInput{})),
		"DescribeRouteTables":         written(e.DescribeRouteTables(c, &ec2.DescribeRouteTablesInput{})),
		"DescribeNetworkAcls":         written(e.DescribeNetworkAcls(c, &ec2.DescribeNetworkAclsInput{})),
		"DescribeVpcEndpoints":        written(e.DescribeVpcEndpoints(c, &ec2.DescribeVpcEndpointsInput{})),
		"DescribeNatGateways":         written(e.DescribeNatGateways(c, &ec2.DescribeNatGatewaysInput{})),
		"DescribeInstanceInformation": written(w.ssm(admin).DescribeInstanceInformation(c, &ssm.DescribeInstanceInformationInput{})),
		"GetConnectionStatus":         written(w.ssm(admin).GetConnectionStatus(c, &ssm.GetConnectionStatusInput{Target: aws.String(node)})),
		"GetInstanceProfile":          written(w.iam(admin).GetInstanceProfile(c, &iam.GetInstanceProfileInput{InstanceProfileName: aws.String(profile)})),
		"GetRole":                     written(w.iam(admin).GetRole(c, &iam.GetRoleInput{RoleName: aws.String(role)})),
		"DescribeLogGroups":           written(w.logs(admin).DescribeLogGroups(c, &cloudwatchlogs.DescribeLogGroupsInput{})),
		"GetKeyPolicy":                written(w.kms(admin).GetKeyPolicy(c, &kms.GetKeyPolicyInput{KeyId: aws.String(fixtures.S7Key)})),
		"GetBucketEncryption":         written(w.s3(admin).GetBucketEncryption(c, &s3.GetBucketEncryptionInput{Bucket: aws.String(fixtures.S7Bucket)})),
		"GetRolePolicy":               w.statements(role, "session-logs"),
		"SimulatePrincipalPolicy": written(w.iam(admin).SimulatePrincipalPolicy(c, &iam.SimulatePrincipalPolicyInput{
			PolicySourceArn: aws.String("arn:aws:iam::" + account + ":role/" + role),
			ActionNames:     []string{"ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:OpenDataChannel"},
		})),
	}
	for _, name := range []ec2types.VpcAttributeName{ec2types.VpcAttributeNameEnableDnsSupport, ec2types.VpcAttributeNameEnableDnsHostnames} {
		seen[string(name)] = written(e.DescribeVpcAttribute(c, &ec2.DescribeVpcAttributeInput{VpcId: aws.String(n), Attribute: name}))
	}
	return seen
}

// fleetNode returns the VPC of a machine.
func (w *world) fleetNode(node string) (string, error) {
	n, _ := w.Account(account).Region(region).Fleet.Node(node)
	return n.VPC, nil
}

// written is an answer as text, or the code of the error.
func written[T any](out *T, err error) string {
	if err != nil {
		return codeOf(err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// statements are those of a role's inline policy, in no order.
func (w *world) statements(role, policy string) string {
	w.t.Helper()
	out := must(w.iam(admin).GetRolePolicy(ctx(w.t), &iam.GetRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(policy)}))(w.t)
	var document struct{ Statement []json.RawMessage }
	if err := json.Unmarshal([]byte(must(url.PathUnescape(*out.PolicyDocument))(w.t)), &document); err != nil {
		w.t.Fatal(err)
	}
	var list []string
	for _, s := range document.Statement {
		list = append(list, string(s))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// differences are the calls that answer otherwise.
func differences(a, b map[string]string) []string {
	var calls []string
	for call, answer := range a {
		if b[call] != answer {
			calls = append(calls, call)
		}
	}
	slices.Sort(calls)
	return calls
}

func TestLookTellsWhatDiffers(t *testing.T) {
	t.Parallel()
	if d := differences(map[string]string{"a": "1", "b": "2"}, map[string]string{"a": "1", "b": "3"}); len(d) != 1 || d[0] != "b" {
		t.Fatalf("the differences are %v", d)
	}
}
