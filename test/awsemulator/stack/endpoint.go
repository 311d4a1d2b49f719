package stack

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/network"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
)

func endpoints(s *network.State) *ordered.Map[*types.VpcEndpoint] { return &s.Endpoints }

// alterEndpoint changes the endpoint of a service.
func alterEndpoint(service string, change func(target, *types.VpcEndpoint) error, back func(now *types.VpcEndpoint, before types.VpcEndpoint)) func(target) (undo, error) {
	return func(t target) (undo, error) {
		e, err := t.endpoint(service)
		if err != nil {
			return nil, err
		}
		next := *e
		if err := change(t, &next); err != nil {
			return nil, err
		}
		return alter(t.Network, endpoints, *e.VpcEndpointId, func(x *types.VpcEndpoint) { *x = next }, back)
	}
}

// removeEndpoint deletes an endpoint, that of a gateway with its routes.
func removeEndpoint(service string) func(target) (undo, error) {
	return func(t target) (undo, error) {
		e, err := t.endpoint(service)
		if err != nil {
			return nil, err
		}
		through := func(r types.Route) bool { return aws.ToString(r.GatewayId) == *e.VpcEndpointId }
		routes := map[string][]types.Route{}
		err = t.Network.Update(func(s *network.State) error {
			s.Endpoints = s.Endpoints.Without(*e.VpcEndpointId)
			for id, table := range s.RouteTables.After("") {
				for _, r := range table.Routes {
					if through(r) {
						routes[id] = append(routes[id], r)
					}
				}
			}
			return eachTable(s, routes, func(x *types.RouteTable) { x.Routes = slices.DeleteFunc(slices.Clone(x.Routes), through) })
		})
		return func() error {
			return t.Network.Update(func(s *network.State) error {
				s.Endpoints = s.Endpoints.With(*e.VpcEndpointId, e)
				return eachTable(s, routes, func(x *types.RouteTable) { x.Routes = append(slices.Clone(x.Routes), routes[*x.RouteTableId]...) })
			})
		}, err
	}
}

func eachTable(s *network.State, routes map[string][]types.Route, change func(*types.RouteTable)) error {
	for id := range routes {
		if err := network.Change(&s.RouteTables, id, change); err != nil {
			return err
		}
	}
	return nil
}

// moveEndpoint puts an endpoint into another VPC, as if it had been made
// there.
func moveEndpoint(service string) func(target) (undo, error) {
	return alterEndpoint(service, func(t target, e *types.VpcEndpoint) error {
		for subnet := range t.Network.State().Subnets.Values() {
			if aws.ToString(subnet.VpcId) != t.node.VPC {
				e.VpcId, e.SubnetIds = subnet.VpcId, []string{*subnet.SubnetId}
				return nil
			}
		}
		return notHere("there is no other VPC")
	}, func(now *types.VpcEndpoint, before types.VpcEndpoint) {
		now.VpcId, now.SubnetIds = before.VpcId, before.SubnetIds
	})
}

// isolateEndpoint puts an endpoint into another subnet of the VPC, one whose
// network ACL lets nothing in: in an open subnet it would still be reached.
func isolateEndpoint(service string) func(target) (undo, error) {
	return alterEndpoint(service, func(t target, e *types.VpcEndpoint) error {
		for acl := range t.Network.State().ACLs.Values() {
			closed := !slices.ContainsFunc(acl.Entries, func(x types.NetworkAclEntry) bool { return x.RuleAction == types.RuleActionAllow })
			if aws.ToString(acl.VpcId) == t.node.VPC && closed && len(acl.Associations) > 0 {
				e.SubnetIds = []string{*acl.Associations[0].SubnetId}
				return nil
			}
		}
		return notHere("the VPC has no isolated subnet")
	}, func(now *types.VpcEndpoint, before types.VpcEndpoint) { now.SubnetIds = before.SubnetIds })
}

func setEndpointState(service, state string) func(target) (undo, error) {
	return alterEndpoint(service, func(_ target, e *types.VpcEndpoint) error {
		e.State = types.State(state)
		return nil
	}, func(now *types.VpcEndpoint, before types.VpcEndpoint) { now.State = before.State })
}

func privateDNSOff(service string) func(target) (undo, error) {
	return alterEndpoint(service, func(_ target, e *types.VpcEndpoint) error {
		e.PrivateDnsEnabled, e.DnsEntries = aws.Bool(false), e.DnsEntries[:1:1]
		return nil
	}, func(now *types.VpcEndpoint, before types.VpcEndpoint) {
		now.PrivateDnsEnabled, now.DnsEntries = before.PrivateDnsEnabled, before.DnsEntries
	})
}

func denyByPolicy(service string) func(target) (undo, error) {
	return alterEndpoint(service, func(_ target, e *types.VpcEndpoint) error {
		e.PolicyDocument = aws.String(`{"Statement":[{"Action":"*","Effect":"Deny","Principal":"*","Resource":"*"}]}`)
		return nil
	}, func(now *types.VpcEndpoint, before types.VpcEndpoint) { now.PolicyDocument = before.PolicyDocument })
}
