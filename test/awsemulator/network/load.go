package network

import (
	"cmp"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
)

// Load puts the content of a fixture into the network.
func (n *Network) Load(f fixtures.Network) error {
	return n.Update(func(s *State) error {
		for _, v := range f.VPCs {
			s.VPCs = s.VPCs.With(v.ID, n.vpc(v))
		}
		for _, load := range []func(*State, fixtures.Network) error{
			n.loadSubnets, n.loadRouteTables, n.loadACLs, n.loadGroups, n.loadEndpoints, n.loadGateways,
		} {
			if err := load(s, f); err != nil {
				return err
			}
		}
		for _, list := range f.PrefixLists {
			s.PrefixLists = s.PrefixLists.With(list.ID, entries(list))
		}
		n.completeRouteTables(s)
		n.completeACLs(s)
		return nil
	})
}

func (n *Network) vpc(f fixtures.VPC) *VPC {
	return &VPC{
		DNSSupport: onUnlessOff(f.DNSSupport), DNSHostnames: onUnlessOff(f.DNSHostnames),
		Vpc: types.Vpc{
			VpcId: aws.String(f.ID), CidrBlock: aws.String(f.CIDR), IsDefault: aws.Bool(f.Default), OwnerId: aws.String(n.AccountID),
			State: types.VpcStateAvailable, InstanceTenancy: types.TenancyDefault, DhcpOptionsId: aws.String(id("dopt-", n.Region)),
			CidrBlockAssociationSet: []types.VpcCidrBlockAssociation{{
				AssociationId: aws.String(id("vpc-cidr-assoc-", f.ID)), CidrBlock: aws.String(f.CIDR),
				CidrBlockState: &types.VpcCidrBlockState{State: types.VpcCidrBlockStateCodeAssociated},
			}},
			Tags: tags(f.Name, f.Tags),
		},
	}
}

func entries(f fixtures.PrefixList) ordered.Map[*types.PrefixListEntry] {
	all := ordered.New[*types.PrefixListEntry]()
	for _, cidr := range f.Entries {
		all = all.With(cidr, &types.PrefixListEntry{Cidr: aws.String(cidr)})
	}
	return all
}

func onUnlessOff(b *bool) bool { return b == nil || *b }

func (n *Network) loadSubnets(s *State, f fixtures.Network) error {
	for _, sub := range f.Subnets {
		if err := need(s.VPCs, sub.VPC, "subnet "+sub.ID); err != nil {
			return err
		}
		zone := sub.Zone
		if zone == "" {
			zone = n.Region + "a"
		}
		s.Subnets = s.Subnets.With(sub.ID, &types.Subnet{
			SubnetId: aws.String(sub.ID), VpcId: aws.String(sub.VPC), CidrBlock: aws.String(sub.CIDR), AvailabilityZone: aws.String(zone),
			MapPublicIpOnLaunch: aws.Bool(sub.MapPublicIP), OwnerId: aws.String(cmp.Or(sub.Owner, n.AccountID)), State: types.SubnetStateAvailable,
			DefaultForAz: aws.Bool(false), AssignIpv6AddressOnCreation: aws.Bool(false), Ipv6Native: aws.Bool(false),
			AvailableIpAddressCount: aws.Int32(250), SubnetArn: aws.String(n.ARN("ec2", "subnet/"+sub.ID)), Tags: tags(sub.Name, nil),
			Ipv6CidrBlockAssociationSet: []types.SubnetIpv6CidrBlockAssociation{},
		})
	}
	return nil
}

// need wants something of a fixture that something else names.
func need[T any](m ordered.Map[T], id, by string) error {
	if _, ok := m.Get(id); !ok {
		return fmt.Errorf("%s names %q, which the network does not have", by, id)
	}
	return nil
}

func needAll[T any](m ordered.Map[T], ids []string, by string) error {
	for _, id := range ids {
		if err := need(m, id, by); err != nil {
			return err
		}
	}
	return nil
}
