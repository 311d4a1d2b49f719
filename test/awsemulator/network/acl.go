package network

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// lastRule is the number of the entries that deny what no other has decided.
const lastRule = 32767

// openEntries let everything in and out, as the default ACL of a VPC does.
var openEntries = []fixtures.NetworkACLEntry{
	{Rule: 100, Action: "allow", CIDR: "0.0.0.0/0", Egress: true}, {Rule: 100, Action: "allow", CIDR: "0.0.0.0/0"},
}

func (n *Network) loadACLs(s *State, f fixtures.Network) error {
	for _, a := range f.NetworkACLs {
		if err := need(s.VPCs, a.VPC, "network ACL "+a.ID); err != nil {
			return err
		}
		if err := needAll(s.Subnets, a.Subnets, "network ACL "+a.ID); err != nil {
			return err
		}
		s.ACLs = s.ACLs.With(a.ID, n.acl(a))
	}
	return nil
}

func (n *Network) acl(f fixtures.NetworkACL) *types.NetworkAcl {
	acl := &types.NetworkAcl{
		NetworkAclId: aws.String(f.ID), VpcId: aws.String(f.VPC), IsDefault: aws.Bool(f.Default), OwnerId: aws.String(n.AccountID),
		Tags: tags("", nil), Associations: []types.NetworkAclAssociation{},
	}
	for _, subnet := range f.Subnets {
		acl.Associations = append(acl.Associations, ACLAssociation(f.ID, subnet))
	}
	for _, e := range f.Entries {
		acl.Entries = append(acl.Entries, NewACLEntry(e))
	}
	for _, egress := range []bool{true, false} {
		acl.Entries = append(acl.Entries, NewACLEntry(fixtures.NetworkACLEntry{Rule: lastRule, Action: "deny", CIDR: "0.0.0.0/0", Egress: egress}))
	}
	return acl
}

// completeACLs gives a default ACL to each VPC that has none, and an ACL to
// each subnet: it always has one.
func (n *Network) completeACLs(s *State) {
	defaults, associated := map[string]string{}, map[string]bool{}
	for a := range s.ACLs.Values() {
		if aws.ToBool(a.IsDefault) {
			defaults[aws.ToString(a.VpcId)] = aws.ToString(a.NetworkAclId)
		}
		for _, x := range a.Associations {
			associated[aws.ToString(x.SubnetId)] = true
		}
	}
	for vpc := range s.VPCs.After("") {
		if defaults[vpc] == "" {
			defaults[vpc] = id("acl-", vpc)
			s.ACLs = s.ACLs.With(defaults[vpc], n.acl(fixtures.NetworkACL{ID: defaults[vpc], VPC: vpc, Default: true, Entries: openEntries}))
		}
	}
	for subnet, x := range s.Subnets.After("") {
		if associated[subnet] {
			continue
		}
		acl, _ := s.ACLs.Get(defaults[aws.ToString(x.VpcId)])
		next := *acl
		next.Associations = append(append([]types.NetworkAclAssociation{}, acl.Associations...), ACLAssociation(*acl.NetworkAclId, subnet))
		s.ACLs = s.ACLs.With(*acl.NetworkAclId, &next)
	}
}

// ACLAssociation ties a network ACL to a subnet.
func ACLAssociation(acl, subnet string) types.NetworkAclAssociation {
	return types.NetworkAclAssociation{
		NetworkAclAssociationId: aws.String(id("aclassoc-", subnet)), NetworkAclId: aws.String(acl), SubnetId: aws.String(subnet),
	}
}

// NewACLEntry makes an entry of its form in a fixture.
func NewACLEntry(f fixtures.NetworkACLEntry) types.NetworkAclEntry {
	e := types.NetworkAclEntry{
		RuleNumber: aws.Int32(f.Rule), Egress: aws.Bool(f.Egress), RuleAction: types.RuleAction(f.Action), Protocol: aws.String(f.Protocol),
	}
	if f.Protocol == "" {
		e.Protocol = aws.String("-1")
	}
	if strings.Contains(f.CIDR, ":") {
		e.Ipv6CidrBlock = aws.String(f.CIDR)
	} else {
		e.CidrBlock = aws.String(f.CIDR)
	}
	if f.From != 0 || f.To != 0 {
		e.PortRange = &types.PortRange{From: aws.Int32(f.From), To: aws.Int32(f.To)}
	}
	return e
}
