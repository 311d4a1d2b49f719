package network

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

func (n *Network) loadGateways(s *State, f fixtures.Network) error {
	for _, g := range f.NATGateways {
		if err := need(s.Subnets, g.Subnet, "NAT gateway "+g.ID); err != nil {
			return err
		}
		gateway := &types.NatGateway{
			NatGatewayId: aws.String(g.ID), VpcId: aws.String(g.VPC), SubnetId: aws.String(g.Subnet), State: types.NatGatewayState(g.State),
			ConnectivityType: types.ConnectivityTypePublic, CreateTime: aws.Time(n.now()), Tags: []types.Tag{},
			NatGatewayAddresses: []types.NatGatewayAddress{{
				NetworkInterfaceId: aws.String(id("eni-", g.ID)), PublicIp: optional(g.PublicIP), IsPrimary: aws.Bool(true),
				Status: types.NatGatewayAddressStatusSucceeded,
			}},
		}
		if g.State == "" {
			gateway.State = types.NatGatewayStateAvailable
		}
		if g.Private {
			gateway.ConnectivityType = types.ConnectivityTypePrivate
		}
		s.NATGateways = s.NATGateways.With(g.ID, gateway)
	}
	for _, g := range f.InternetGateways {
		if err := need(s.VPCs, g.VPC, "internet gateway "+g.ID); err != nil {
			return err
		}
		s.InternetGateways = s.InternetGateways.With(g.ID, &types.InternetGateway{
			InternetGatewayId: aws.String(g.ID), OwnerId: aws.String(n.AccountID), Tags: []types.Tag{},
			Attachments: []types.InternetGatewayAttachment{{VpcId: aws.String(g.VPC), State: "available"}},
		})
	}
	return nil
}
