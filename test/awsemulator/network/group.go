package network

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// openEgress is the rule that EC2 gives to a new group.
var openEgress = []fixtures.Rule{{CIDR: "0.0.0.0/0"}}

func (n *Network) loadGroups(s *State, f fixtures.Network) error {
	for _, g := range f.SecurityGroups {
		if err := need(s.VPCs, g.VPC, "security group "+g.ID); err != nil {
			return err
		}
		group := &types.SecurityGroup{
			GroupId: aws.String(g.ID), GroupName: aws.String(g.Name), Description: aws.String(g.Description), VpcId: aws.String(g.VPC),
			OwnerId: aws.String(n.AccountID), SecurityGroupArn: aws.String(n.ARN("ec2", "security-group/"+g.ID)), Tags: tags(g.Name, nil),
		}
		if g.Name == "" {
			group.GroupName = aws.String(g.ID)
		}
		s.Groups = s.Groups.With(g.ID, group)
		egress := openEgress
		if g.Egress != nil {
			egress = *g.Egress
		}
		for i, r := range egress {
			n.putRule(s, g, r, true, i)
		}
		for i, r := range g.Ingress {
			n.putRule(s, g, r, false, i)
		}
	}
	return nil
}

func (n *Network) putRule(s *State, g fixtures.SecurityGroup, f fixtures.Rule, egress bool, i int) {
	ruleID := id("sgr-", g.ID, strconv.FormatBool(egress), strconv.Itoa(i))
	s.Rules = s.Rules.With(ruleID, n.rule(ruleID, g.ID, f, egress))
}

func (n *Network) rule(ruleID, group string, f fixtures.Rule, egress bool) *types.SecurityGroupRule {
	r := &types.SecurityGroupRule{
		SecurityGroupRuleId: aws.String(ruleID), GroupId: aws.String(group), GroupOwnerId: aws.String(n.AccountID), IsEgress: aws.Bool(egress),
		SecurityGroupRuleArn: aws.String(n.ARN("ec2", "security-group-rule/"+ruleID)),
		IpProtocol:           aws.String(f.Protocol), FromPort: aws.Int32(f.From), ToPort: aws.Int32(f.To), Tags: []types.Tag{},
		CidrIpv4: optional(f.CIDR), CidrIpv6: optional(f.CIDR6), PrefixListId: optional(f.PrefixList),
	}
	if f.Protocol == "" || f.Protocol == "-1" {
		r.IpProtocol, r.FromPort, r.ToPort = aws.String("-1"), aws.Int32(-1), aws.Int32(-1)
	}
	if f.Group != "" {
		r.ReferencedGroupInfo = &types.ReferencedSecurityGroup{GroupId: aws.String(f.Group), UserId: aws.String(n.AccountID)}
	}
	return r
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
