package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// fleet is nodes spread over VPCs. The first of the nodes are not connected.
type fleet struct {
	nodes, offline, vpcs int
	// each is how many nodes a grant names.
	each int
}

// budget is the calls that one survey of the fleet may take: one for a page of
// 50 nodes, and those for each VPC and for each node that is not connected.
func (f fleet) budget() float64 { return float64(f.nodes/50 + 12*f.vpcs + 3*f.offline) }

// grants that name all nodes, each one of its own user.
func (f fleet) grants() int { return f.nodes / f.each }

// machines puts the fleet into a region, in VPCs that are like the fixture's.
func (f fleet) machines(account *fixtures.Account, r *fixtures.Region) {
	like := *r
	r.Network, r.Instances = fixtures.Network{}, nil
	for v := range f.vpcs {
		addVPC(&r.Network, v, like.Network.Endpoints)
	}
	role := account.Roles[len(account.Roles)-1]
	for i := range f.nodes {
		node := fixtures.Instance{
			ID: string(instanceIDs(i/f.each, i%f.each, 1)[0]), InstanceProfile: like.Instances[0].InstanceProfile,
			VPC: idIn(i%f.vpcs, "vpc", 0), Subnet: idIn(i%f.vpcs, "subnet", 0), SecurityGroups: []string{idIn(i%f.vpcs, "sg", 0)},
			PrivateIP: "10.0.2.10", Agent: &fixtures.Agent{Offline: i < f.offline},
		}
		if i < f.offline {
			// A role of its own, so that no two of them are judged by one answer.
			role.Name, role.ID = fmt.Sprintf("node-%d", i), ""
			account.Roles = append(account.Roles, role)
			node.InstanceProfile = role.Name
		}
		r.Instances = append(r.Instances, node)
	}
}

// idIn is the id of something in a VPC.
func idIn(vpc int, kind string, n int) string { return fmt.Sprintf("%s-0c%015d", kind, 100*vpc+n) }

// addVPC adds a VPC with a subnet, and with interface endpoints as in another.
func addVPC(network *fixtures.Network, v int, endpoints []fixtures.Endpoint) {
	vpc, subnet, group := idIn(v, "vpc", 0), idIn(v, "subnet", 0), idIn(v, "sg", 0)
	network.VPCs = append(network.VPCs, fixtures.VPC{ID: vpc, CIDR: "10.0.0.0/16"})
	network.Subnets = append(network.Subnets, fixtures.Subnet{ID: subnet, VPC: vpc, CIDR: "10.0.2.0/24"})
	network.SecurityGroups = append(network.SecurityGroups, fixtures.SecurityGroup{
		ID: group, VPC: vpc, Ingress: []fixtures.Rule{{Protocol: "tcp", From: 443, To: 443, CIDR: "10.0.0.0/16"}},
	})
	for n, e := range endpoints {
		if e.Type == "Gateway" {
			continue // It is of a route table, and these have none of their own.
		}
		e.ID, e.VPC, e.Subnets, e.Groups = idIn(v, "vpce", n), vpc, []string{subnet}, []string{group}
		network.Endpoints = append(network.Endpoints, e)
	}
}

// reachability counts what one look at all nodes of an account takes.
func reachability(f fleet, l load) row {
	return row{
		name: fmt.Sprintf("resync: %d nodes, %d of them not connected, in %d VPCs", f.nodes, f.offline, f.vpcs),
		prepare: func(ctx context.Context, w *world) error {
			if err := w.start(l.resyncFlag()); err != nil {
				return err
			}
			if err := w.declareAccount(ctx); err != nil {
				return err
			}
			var all []*v1alpha1.SessionAccess
			for i, user := range w.users {
				all = append(all, access(user, user, instanceIDs(i, 0, f.each)))
			}
			if err := createAll(ctx, w, all); err != nil {
				return err
			}
			return w.waitSettled(ctx, len(all))
		},
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			// The first resync shows how many policies exist.
			if _, err := l.nextResync(ctx, w); err != nil {
				return used{}, nil, err
			}
			u, err := l.nextResync(ctx, w)
			if err != nil {
				return used{}, nil, err
			}
			return u, []figure{within("calls to look at the nodes", u.count(looks), f.budget())}, nil
		},
		until: resyncUntil,
		most:  bounds{calls: unbounded, cpu: unbounded, memory: unbounded},
	}
}

// verifies are the calls of a resync that do not look at nodes.
var verifies = []string{"AssumeRole", "GetCallerIdentity", "GetAccountSummary", "GetAccountAuthorizationDetails", "DescribeSessions"}

func looks(c calls.Call) bool { return !slices.Contains(verifies, c.Operation) }
