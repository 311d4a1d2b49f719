package awsemulator_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

const (
	stgVPC    = "vpc-0b00000000000a000"
	stgSubnet = "subnet-0b00000000000a002"
	stgGroup  = "sg-0b00000000000a001"
)

// withS7 starts with the healthy stack.
func withS7(o *awsemulator.Options) { o.Fixture = fixtures.S7() }

// withEverything has the machines of S1 and all that S7 brings.
func withEverything(o *awsemulator.Options) {
	s1 := fixtures.S1().Accounts[0].Regions[region]
	o.Fixture = fixtures.S7()
	r := o.Fixture.Accounts[0].Regions[region]
	r.Instances = s1.Instances
	r.Network.VPCs = append(r.Network.VPCs, s1.Network.VPCs...)
	r.Network.Subnets = append(r.Network.Subnets, s1.Network.Subnets...)
	r.Network.SecurityGroups = append(r.Network.SecurityGroups, s1.Network.SecurityGroups...)
	r.Buckets = append(r.Buckets, fixtures.Bucket{Name: "with-policy", Policy: json.RawMessage(
		`{"Version":"2012-10-17","Statement":[{"Sid":"Only TLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::with-policy","arn:aws:s3:::with-policy/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`,
	)})
	o.Fixture.Accounts[0].Regions[region] = r
}

// where makes a filter.
func where(name string, values ...string) []types.Filter {
	return []types.Filter{{Name: aws.String(name), Values: values}}
}

func TestInstanceTellsItsProfileNetworkAndMetadata(t *testing.T) {
	w := newWorld(t, withS7)
	out := must(w.ec2(operator).DescribeInstances(ctx(t), &ec2.DescribeInstancesInput{InstanceIds: []string{fixtures.S7Node}}))(t)
	i := out.Reservations[0].Instances[0]
	if *i.IamInstanceProfile.Arn != "arn:aws:iam::"+account+":instance-profile/stg-ec2-instance-profile" {
		t.Errorf("the profile is %s", *i.IamInstanceProfile.Arn)
	}
	if *i.VpcId != stgVPC || *i.SubnetId != stgSubnet || *i.SecurityGroups[0].GroupId != stgGroup || *i.SecurityGroups[0].GroupName != "step-server-sg" {
		t.Errorf("the instance is %+v", i)
	}
	eni := i.NetworkInterfaces[0]
	if len(i.NetworkInterfaces) != 1 || *eni.VpcId != stgVPC || *eni.SubnetId != stgSubnet || *eni.Groups[0].GroupId != stgGroup {
		t.Errorf("the interfaces are %+v", i.NetworkInterfaces)
	}
	m := i.MetadataOptions
	if m.HttpTokens != types.HttpTokensStateRequired || m.HttpEndpoint != types.InstanceMetadataEndpointStateEnabled || m.State != types.InstanceMetadataOptionsStateApplied {
		t.Errorf("the metadata options are %+v", m)
	}
	profile := must(w.iam(operator).GetInstanceProfile(ctx(t), &iam.GetInstanceProfileInput{InstanceProfileName: aws.String("stg-ec2-instance-profile")}))(t).InstanceProfile
	if len(profile.Roles) != 1 || *profile.Roles[0].RoleName != "stg-EC2SSMRoleForRDSAccess" || *profile.InstanceProfileId != *i.IamInstanceProfile.Id {
		t.Errorf("the profile is %+v", profile)
	}
	_, err := w.iam(operator).GetInstanceProfile(ctx(t), &iam.GetInstanceProfileInput{InstanceProfileName: aws.String("none")})
	wantCode(t, err, "NoSuchEntity")
	_, err = w.iam(admin).DeleteRole(ctx(t), &iam.DeleteRoleInput{RoleName: aws.String("node")})
	wantCode(t, err, "DeleteConflict")
}

func TestBulkReadTellsTheProfilesOfARole(t *testing.T) {
	w := newWorld(t, withS7)
	out := must(w.iam(operator).GetAccountAuthorizationDetails(ctx(t), &iam.GetAccountAuthorizationDetailsInput{}))(t)
	for _, r := range out.RoleDetailList {
		if *r.RoleName == "stg-EC2SSMRoleForRDSAccess" {
			if len(r.InstanceProfileList) != 1 || *r.InstanceProfileList[0].InstanceProfileName != "stg-ec2-instance-profile" {
				t.Fatalf("the profiles are %+v", r.InstanceProfileList)
			}
			return
		}
	}
	t.Fatal("the role is not there")
}

func TestRulesOfGroupsAreToldByDirection(t *testing.T) {
	w := newWorld(t, withS7)
	c := w.ec2(operator)
	rules := must(c.DescribeSecurityGroupRules(ctx(t), &ec2.DescribeSecurityGroupRulesInput{Filters: where("group-id", stgGroup)}))(t).SecurityGroupRules
	if len(rules) != 1 || !*rules[0].IsEgress || *rules[0].IpProtocol != "-1" || *rules[0].FromPort != -1 || *rules[0].CidrIpv4 != "0.0.0.0/0" {
		t.Errorf("the rules are %+v", rules)
	}
	rules = must(c.DescribeSecurityGroupRules(ctx(t), &ec2.DescribeSecurityGroupRulesInput{Filters: where("group-id", "sg-0b00000000000a002")}))(t).SecurityGroupRules
	i := slices.IndexFunc(rules, func(r types.SecurityGroupRule) bool { return !*r.IsEgress })
	if len(rules) != 2 || i < 0 || *rules[i].IpProtocol != "tcp" || *rules[i].ToPort != 443 || *rules[i].CidrIpv4 != "10.0.0.0/16" {
		t.Errorf("the rules are %+v", rules)
	}
	groups := must(c.DescribeSecurityGroups(ctx(t), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{stgGroup}}))(t).SecurityGroups
	if p := groups[0].IpPermissionsEgress; len(p) != 1 || p[0].FromPort != nil || *p[0].IpRanges[0].CidrIp != "0.0.0.0/0" || len(groups[0].IpPermissions) != 0 {
		t.Errorf("the group is %+v", groups[0])
	}
}

func TestRoutesACLsAndEndpointsOfTheHealthyStack(t *testing.T) {
	w := newWorld(t, withS7)
	c := w.ec2(operator)
	tables := must(c.DescribeRouteTables(ctx(t), &ec2.DescribeRouteTablesInput{Filters: where("association.subnet-id", stgSubnet)}))(t).RouteTables
	if len(tables) != 1 || *tables[0].Routes[0].GatewayId != "local" || tables[0].Routes[0].State != types.RouteStateActive || *tables[0].Associations[0].Main {
		t.Errorf("the tables are %+v", tables)
	}
	if s3 := tables[0].Routes[1]; !strings.HasPrefix(*s3.DestinationPrefixListId, "pl-") || *s3.GatewayId != "vpce-0b00000000000a006" {
		t.Errorf("the route to S3 is %+v", s3)
	}
	main := must(c.DescribeRouteTables(ctx(t), &ec2.DescribeRouteTablesInput{Filters: append(where("vpc-id", stgVPC), where("association.main", "true")...)}))(t).RouteTables
	if len(main) != 1 || !*main[0].Associations[0].Main || main[0].Associations[0].SubnetId != nil {
		t.Errorf("the main tables are %+v", main)
	}
	acls := must(c.DescribeNetworkAcls(ctx(t), &ec2.DescribeNetworkAclsInput{Filters: where("association.subnet-id", stgSubnet)}))(t).NetworkAcls
	if len(acls) != 1 || !*acls[0].IsDefault || len(acls[0].Entries) != 4 {
		t.Errorf("the ACLs are %+v", acls)
	}
	endpoints := must(c.DescribeVpcEndpoints(ctx(t), &ec2.DescribeVpcEndpointsInput{Filters: where("vpc-id", stgVPC)}))(t).VpcEndpoints
	if len(endpoints) != 6 {
		t.Fatalf("there are %d endpoints", len(endpoints))
	}
	e := endpoints[0]
	if e.VpcEndpointType != types.VpcEndpointTypeInterface || e.State != "available" || !*e.PrivateDnsEnabled || e.SubnetIds[0] != stgSubnet ||
		*e.Groups[0].GroupId != "sg-0b00000000000a002" || !strings.Contains(*e.PolicyDocument, `"Allow"`) || *e.DnsEntries[1].DnsName != "ssm."+region+".amazonaws.com" {
		t.Errorf("the endpoint is %+v", e)
	}
	for _, attribute := range []types.VpcAttributeName{types.VpcAttributeNameEnableDnsSupport, types.VpcAttributeNameEnableDnsHostnames} {
		out := must(c.DescribeVpcAttribute(ctx(t), &ec2.DescribeVpcAttributeInput{VpcId: aws.String(stgVPC), Attribute: attribute}))(t)
		support, hostnames := out.EnableDnsSupport, out.EnableDnsHostnames
		if (support == nil) == (hostnames == nil) {
			t.Fatalf("one attribute a call is told, here %+v", out)
		}
		if support == nil {
			support = hostnames
		}
		if !*support.Value {
			t.Errorf("%s is off", attribute)
		}
	}
}

func TestNetworkWithoutEndpointsGoesThroughNAT(t *testing.T) {
	w := newWorld(t, func(o *awsemulator.Options) { o.Fixture = fixtures.S7NAT() })
	c := w.ec2(operator)
	tables := must(c.DescribeRouteTables(ctx(t), &ec2.DescribeRouteTablesInput{Filters: where("association.subnet-id", "subnet-0b00000000000b002")}))(t).RouteTables
	if len(tables) != 1 || *tables[0].Routes[1].NatGatewayId != "nat-0b00000000000b000" {
		t.Fatalf("the tables are %+v", tables)
	}
	gateways := must(c.DescribeNatGateways(ctx(t), &ec2.DescribeNatGatewaysInput{Filter: where("vpc-id", "vpc-0b00000000000b000")}))(t).NatGateways
	if len(gateways) != 1 || gateways[0].State != types.NatGatewayStateAvailable {
		t.Fatalf("the gateways are %+v", gateways)
	}
	subnets := must(c.DescribeSubnets(ctx(t), &ec2.DescribeSubnetsInput{SubnetIds: []string{*gateways[0].SubnetId}}))(t).Subnets
	if !*subnets[0].MapPublicIpOnLaunch {
		t.Fatalf("the subnets are %+v", subnets)
	}
	rules := must(c.DescribeSecurityGroupRules(ctx(t), &ec2.DescribeSecurityGroupRulesInput{Filters: where("group-id", "sg-0b00000000000b001")}))(t).SecurityGroupRules
	in := &ec2.GetManagedPrefixListEntriesInput{PrefixListId: rules[0].PrefixListId, MaxResults: aws.Int32(1)}
	var ranges []string
	for pages := ec2.NewGetManagedPrefixListEntriesPaginator(c, in); pages.HasMorePages(); {
		for _, entry := range must(pages.NextPage(ctx(t)))(t).Entries {
			ranges = append(ranges, *entry.Cidr)
		}
	}
	if !slices.Equal(ranges, []string{"0.0.0.0/1", "128.0.0.0/1"}) {
		t.Errorf("the rules let out to %v", ranges)
	}
}

func TestNetworkReadsSayWhatIsNotThere(t *testing.T) {
	w := newWorld(t, withS7)
	c := w.ec2(operator)
	for code, err := range map[string]error{
		"InvalidVpcID.NotFound":               second(c.DescribeVpcs(ctx(t), &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-0"}})),
		"InvalidSubnetID.NotFound":            second(c.DescribeSubnets(ctx(t), &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-0"}})),
		"InvalidGroup.NotFound":               second(c.DescribeSecurityGroups(ctx(t), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{"sg-0"}})),
		"InvalidRouteTableID.NotFound":        second(c.DescribeRouteTables(ctx(t), &ec2.DescribeRouteTablesInput{RouteTableIds: []string{"rtb-0"}})),
		"InvalidNetworkAclID.NotFound":        second(c.DescribeNetworkAcls(ctx(t), &ec2.DescribeNetworkAclsInput{NetworkAclIds: []string{"acl-0"}})),
		"InvalidVpcEndpointId.NotFound":       second(c.DescribeVpcEndpoints(ctx(t), &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{"vpce-0"}})),
		"NatGatewayNotFound":                  second(c.DescribeNatGateways(ctx(t), &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{"nat-0"}})),
		"InvalidPrefixListID.NotFound":        second(c.GetManagedPrefixListEntries(ctx(t), &ec2.GetManagedPrefixListEntriesInput{PrefixListId: aws.String("pl-0")})),
		"InvalidSecurityGroupRuleId.NotFound": second(c.DescribeSecurityGroupRules(ctx(t), &ec2.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{"sgr-0"}})),
	} {
		wantCode(t, err, code)
	}
	_, err := c.DescribeVpcAttribute(ctx(t), &ec2.DescribeVpcAttributeInput{VpcId: aws.String("vpc-0"), Attribute: types.VpcAttributeNameEnableDnsSupport})
	wantCode(t, err, "InvalidVpcID.NotFound")
	_, err = c.DescribeRouteTables(ctx(t), &ec2.DescribeRouteTablesInput{MaxResults: aws.Int32(101)})
	wantCode(t, err, "InvalidParameterValue")
	_, err = c.DescribeSubnets(ctx(t), &ec2.DescribeSubnetsInput{Filters: where("nonsense", "x")})
	wantCode(t, err, "InvalidParameterValue")
	_, err = w.ec2(user01).DescribeVpcEndpoints(ctx(t), &ec2.DescribeVpcEndpointsInput{})
	wantCode(t, err, "UnauthorizedOperation")
	out := must(c.DescribeVpcs(ctx(t), &ec2.DescribeVpcsInput{Filters: where("vpc-id", "vpc-0")}))(t)
	if len(out.Vpcs) != 0 {
		t.Errorf("a filter that matches nothing finds %v", out.Vpcs)
	}
}

// second is the error of an answer.
func second[T any](_ T, err error) error { return err }

func TestPagesOfRulesTogetherAreAllRules(t *testing.T) {
	w := newWorld(t, withS7, func(o *awsemulator.Options) {
		r := o.Fixture.Accounts[0].Regions[region]
		var many []fixtures.Rule
		for port := range int32(40) {
			many = append(many, fixtures.Rule{Protocol: "tcp", From: port, To: port, Group: stgGroup})
		}
		r.Network.SecurityGroups[0].Egress = &many
	})
	w.SetShortPages(0.5)
	seen := map[string]int{}
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(w.ec2(operator), &ec2.DescribeSecurityGroupRulesInput{MaxResults: aws.Int32(7), Filters: where("group-id", stgGroup)})
	for pages.HasMorePages() {
		page := must(pages.NextPage(ctx(t)))(t)
		if len(page.SecurityGroupRules) > 7 {
			t.Fatalf("a page has %d rules", len(page.SecurityGroupRules))
		}
		for _, r := range page.SecurityGroupRules {
			seen[*r.SecurityGroupRuleId]++
			if *r.ReferencedGroupInfo.GroupId != stgGroup {
				t.Fatalf("a rule is %+v", r)
			}
		}
	}
	if len(seen) != 40 {
		t.Fatalf("the pages have %d rules", len(seen))
	}
}
