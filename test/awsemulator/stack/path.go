package stack

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/network"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
)

func tables(s *network.State) *ordered.Map[*types.RouteTable] { return &s.RouteTables }
func acls(s *network.State) *ordered.Map[*types.NetworkAcl]   { return &s.ACLs }
func vpcs(s *network.State) *ordered.Map[*network.VPC]        { return &s.VPCs }

func removeRoute(t target) (undo, error) {
	table, err := t.outward()
	if err != nil {
		return nil, err
	}
	var route types.Route
	return alter(t.Network, tables, *table.RouteTableId, func(x *types.RouteTable) {
		route = x.Routes[slices.IndexFunc(x.Routes, isDefault)]
		x.Routes = slices.DeleteFunc(slices.Clone(x.Routes), isDefault)
	}, func(now *types.RouteTable, _ types.RouteTable) { now.Routes = append(slices.Clone(now.Routes), route) })
}

// blackholeRoute deletes the NAT gateway that the route leads to.
func blackholeRoute(t target) (undo, error) {
	table, err := t.outward()
	if err != nil {
		return nil, err
	}
	setRoute := func(x *types.RouteTable, state types.RouteState) {
		x.Routes = slices.Clone(x.Routes)
		if i := slices.IndexFunc(x.Routes, isDefault); i >= 0 {
			x.Routes[i].State = state
		}
	}
	back, err := alter(t.Network, tables, *table.RouteTableId,
		func(x *types.RouteTable) { setRoute(x, types.RouteStateBlackhole) },
		func(now *types.RouteTable, _ types.RouteTable) { setRoute(now, types.RouteStateActive) })
	gateway := table.Routes[slices.IndexFunc(table.Routes, isDefault)].NatGatewayId
	if err != nil || gateway == nil {
		return back, err
	}
	restore, err := alter(t.Network, func(s *network.State) *ordered.Map[*types.NatGateway] { return &s.NATGateways }, *gateway,
		func(g *types.NatGateway) { g.State = types.NatGatewayStateDeleted },
		func(now *types.NatGateway, before types.NatGateway) { now.State = before.State })
	return all(back, restore), err
}

// all undoes several changes.
func all(undos ...undo) undo {
	return func() error {
		for _, back := range slices.Backward(undos) {
			if back == nil {
				continue
			}
			if err := back(); err != nil {
				return err
			}
		}
		return nil
	}
}

// dissociateTable leaves the subnet to the main table, which leads nowhere.
func dissociateTable(t target) (undo, error) {
	table, err := t.outward()
	if err != nil {
		return nil, err
	}
	own := func(a types.RouteTableAssociation) bool { return aws.ToString(a.SubnetId) == t.node.Subnet }
	return alter(t.Network, tables, *table.RouteTableId,
		func(x *types.RouteTable) { x.Associations = slices.DeleteFunc(slices.Clone(x.Associations), own) },
		func(now *types.RouteTable, _ types.RouteTable) {
			now.Associations = append(slices.Clone(now.Associations), network.TableAssociation(*now.RouteTableId, t.node.Subnet, false))
		})
}

// denyOut keeps requests from leaving the subnet.
func denyOut(t target) (undo, error) {
	return denyByACL(t, fixtures.NetworkACLEntry{Rule: 1, Egress: true, Action: "deny", Protocol: "6", CIDR: "0.0.0.0/0", From: 443, To: 443})
}

// denyIn keeps their answers, which arrive at ephemeral ports, from entering
// it.
func denyIn(t target) (undo, error) {
	return denyByACL(t, fixtures.NetworkACLEntry{Rule: 2, Action: "deny", Protocol: "6", CIDR: "0.0.0.0/0", From: 1024, To: 65535})
}

func denyByACL(t target, f fixtures.NetworkACLEntry) (undo, error) {
	// No ACL filters the way to an endpoint in its own subnet.
	if _, err := t.outward(); err != nil {
		return nil, err
	}
	acl, err := t.acl()
	if err != nil {
		return nil, err
	}
	entry := network.NewACLEntry(f)
	same := func(e types.NetworkAclEntry) bool {
		return *e.RuleNumber == *entry.RuleNumber && *e.Egress == *entry.Egress
	}
	return alter(t.Network, acls, *acl.NetworkAclId,
		func(x *types.NetworkAcl) { x.Entries = append([]types.NetworkAclEntry{entry}, x.Entries...) },
		func(now *types.NetworkAcl, _ types.NetworkAcl) {
			now.Entries = slices.DeleteFunc(slices.Clone(now.Entries), same)
		})
}

func dnsSupportOff(t target) (undo, error) {
	return alter(t.Network, vpcs, t.node.VPC, func(v *network.VPC) { v.DNSSupport = false },
		func(now *network.VPC, before network.VPC) { now.DNSSupport = before.DNSSupport })
}

// dnsHostnamesOff matters to private DNS names of endpoints only.
func dnsHostnamesOff(t target) (undo, error) {
	if _, err := t.endpoint("ssm"); err != nil {
		return nil, err
	}
	return alter(t.Network, vpcs, t.node.VPC, func(v *network.VPC) { v.DNSHostnames = false },
		func(now *network.VPC, before network.VPC) { now.DNSHostnames = before.DNSHostnames })
}
