package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// fullAccess is the policy of an endpoint that was made without one.
const fullAccess = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`

func (n *Network) loadEndpoints(s *State, f fixtures.Network) error {
	for _, e := range f.Endpoints {
		by := "endpoint " + e.ID
		for _, err := range []error{
			need(s.VPCs, e.VPC, by), needAll(s.Subnets, e.Subnets, by), needAll(s.Groups, e.Groups, by), needAll(s.RouteTables, e.RouteTables, by),
		} {
			if err != nil {
				return err
			}
		}
		endpoint, err := n.endpoint(s, e)
		if err != nil {
			return err
		}
		s.Endpoints = s.Endpoints.With(e.ID, endpoint)
		for _, table := range e.RouteTables {
			// The table is there, as was just seen.
			_ = Change(&s.RouteTables, table, func(t *types.RouteTable) {
				t.Routes = append(slices.Clip(t.Routes), types.Route{
					DestinationPrefixListId: aws.String(PrefixList(e.Service)), GatewayId: aws.String(e.ID),
					Origin: types.RouteOriginCreateRoute, State: types.RouteStateActive,
				})
			})
		}
	}
	return nil
}

// PrefixList is the id of the prefix list of a service that has gateway
// endpoints.
func PrefixList(service string) string { return id("pl-", service)[:len("pl-")+8] }

func (n *Network) endpoint(s *State, f fixtures.Endpoint) (*types.VpcEndpoint, error) {
	e := &types.VpcEndpoint{
		VpcEndpointId: aws.String(f.ID), VpcId: aws.String(f.VPC), ServiceName: aws.String(f.Service), OwnerId: aws.String(n.AccountID),
		VpcEndpointType: types.VpcEndpointType(f.Type), State: types.State(f.State), PrivateDnsEnabled: aws.Bool(f.PrivateDNS),
		SubnetIds: list(f.Subnets), RouteTableIds: list(f.RouteTables), NetworkInterfaceIds: []string{}, Groups: []types.SecurityGroupIdentifier{},
		DnsEntries: []types.DnsEntry{}, RequesterManaged: aws.Bool(false), CreationTimestamp: aws.Time(n.now()), Tags: []types.Tag{},
		PolicyDocument: aws.String(fullAccess),
	}
	if len(f.Policy) > 0 {
		e.PolicyDocument = aws.String(fixtures.Text(f.Policy))
	}
	if f.State == "" {
		e.State = "available"
	}
	switch e.VpcEndpointType {
	case "":
		e.VpcEndpointType = types.VpcEndpointTypeInterface
	case types.VpcEndpointTypeInterface, types.VpcEndpointTypeGateway, types.VpcEndpointTypeGatewayLoadBalancer:
	default:
		return nil, fmt.Errorf("the endpoint %s is of the type %q, which the emulator does not know", f.ID, f.Type)
	}
	for _, group := range f.Groups {
		g, _ := s.Groups.Get(group)
		e.Groups = append(e.Groups, types.SecurityGroupIdentifier{GroupId: g.GroupId, GroupName: g.GroupName})
	}
	for _, subnet := range f.Subnets {
		e.NetworkInterfaceIds = append(e.NetworkInterfaceIds, id("eni-", f.ID, subnet))
	}
	if e.VpcEndpointType == types.VpcEndpointTypeInterface {
		e.DnsEntries = n.dnsEntries(f)
		e.IpAddressType = types.IpAddressTypeIpv4
		e.DnsOptions = &types.DnsOptions{
			DnsRecordIpType: types.DnsRecordIpTypeIpv4, PrivateDnsOnlyForInboundResolverEndpoint: aws.Bool(f.InboundResolversOnly),
		}
	}
	return e, nil
}

// dnsEntries are the names of an interface endpoint: its own, and with private
// DNS the service's.
func (n *Network) dnsEntries(f fixtures.Endpoint) []types.DnsEntry {
	short := f.Service[strings.LastIndex(f.Service, ".")+1:]
	zone := aws.String(strings.ToUpper(id("Z", f.Service)))
	entries := []types.DnsEntry{{
		DnsName: aws.String(f.ID + "-" + id("", f.ID)[:8] + "." + short + "." + n.Region + ".vpce.amazonaws.com"), HostedZoneId: zone,
	}}
	if f.PrivateDNS {
		entries = append(entries, types.DnsEntry{DnsName: aws.String(short + "." + n.Region + ".amazonaws.com"), HostedZoneId: zone})
	}
	return entries
}

func list(ids []string) []string { return append([]string{}, ids...) }
