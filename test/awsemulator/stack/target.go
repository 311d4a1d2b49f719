package stack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/network"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
)

// target is a machine and the stack that it is in.
type target struct {
	Parts
	node *fleet.Node
}

func notHere(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotHere, fmt.Sprintf(format, args...))
}

// role is the role of the machine's instance profile.
func (t target) role() (*iam.Entity, error) {
	s := t.IAM.Latest()
	p, ok := s.InstanceProfile(t.node.InstanceProfile)
	if !ok {
		return nil, notHere("the node has no instance profile")
	}
	role, ok := s.Entity(iam.Role, p.Role)
	if !ok {
		return nil, notHere("the instance profile %s has no role", p.Name)
	}
	return role, nil
}

// groups are the security groups of all interfaces of the machine.
func (t target) groups() []string {
	groups := slices.Clone(t.node.SecurityGroups)
	for _, i := range t.node.Interfaces {
		groups = append(groups, i.SecurityGroups...)
	}
	return groups
}

// endpoint is that of a service in the machine's VPC.
func (t target) endpoint(service string) (*types.VpcEndpoint, error) {
	for e := range t.Network.State().Endpoints.Values() {
		if aws.ToString(e.VpcId) == t.node.VPC && strings.HasSuffix(aws.ToString(e.ServiceName), "."+service) {
			return e, nil
		}
	}
	return nil, notHere("the VPC %s has no endpoint of %s", t.node.VPC, service)
}

// table is the route table that the machine's subnet is associated with.
func (t target) table() (*types.RouteTable, error) {
	for table := range t.Network.State().RouteTables.Values() {
		for _, a := range table.Associations {
			if aws.ToString(a.SubnetId) == t.node.Subnet {
				return table, nil
			}
		}
	}
	return nil, notHere("the subnet %s has no route table of its own", t.node.Subnet)
}

// outward is the table with its route to the internet.
func (t target) outward() (*types.RouteTable, error) {
	table, err := t.table()
	if err == nil && !slices.ContainsFunc(table.Routes, isDefault) {
		err = notHere("the subnet %s has no route to the internet; take a node that has", t.node.Subnet)
	}
	return table, err
}

func isDefault(r types.Route) bool { return aws.ToString(r.DestinationCidrBlock) == "0.0.0.0/0" }

// acl is the network ACL of the machine's subnet.
func (t target) acl() (*types.NetworkAcl, error) {
	for acl := range t.Network.State().ACLs.Values() {
		for _, a := range acl.Associations {
			if aws.ToString(a.SubnetId) == t.node.Subnet {
				return acl, nil
			}
		}
	}
	return nil, notHere("the subnet %s has no network ACL", t.node.Subnet)
}

// alter changes an entry of the network. back gets the entry as it is when the
// change is taken back, and as it was before.
func alter[T any](n *network.Network, of func(*network.State) *ordered.Map[*T], id string, change func(*T), back func(now *T, before T)) (undo, error) {
	var before T
	err := n.Update(func(s *network.State) error {
		return network.Change(of(s), id, func(x *T) {
			before = *x
			change(x)
		})
	})
	if err != nil {
		return nil, err
	}
	return func() error {
		return n.Update(func(s *network.State) error {
			return network.Change(of(s), id, func(x *T) { back(x, before) })
		})
	}, nil
}

// alterNode changes the machine.
func (t target) alterNode(change, back func(*fleet.Node)) (undo, error) {
	if err := t.Fleet.Change(t.node.ID, change); err != nil {
		return nil, err
	}
	return func() error { return t.Fleet.Change(t.node.ID, back) }, nil
}
