package collect

import (
	"context"
	"maps"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// networks reads the VPCs of the instances whose details are needed, all of a
// region together.
func (t *taking) networks(ctx context.Context) {
	for _, name := range t.regionNames() {
		vpcs, groups := t.places(name)
		if len(vpcs) == 0 {
			continue
		}
		r := t.regions[name]
		subnets, subnetsErr := t.network(name).Subnets(ctx, vpcs)
		tables, tablesErr := t.network(name).RouteTables(ctx, vpcs)
		gateways := t.natGateways(ctx, name, tables)
		acls, aclsErr := t.network(name).NetworkACLs(ctx, vpcs)
		endpoints, endpointsErr := t.network(name).VPCEndpoints(ctx)
		rules, rulesErr := t.network(name).SecurityGroupRules(ctx, withEndpoints(groups, endpoints, vpcs))
		lists := t.prefixLists(ctx, name, rules)
		for _, vpc := range vpcs {
			support, hostnames, err := t.network(name).VPCDNS(ctx, vpc)
			r.networks[vpc] = &check.Network{
				VPC: vpc, DNSSupport: known(support, err), DNSHostnames: known(hostnames, err),
				Subnets: known(subnets[vpc], subnetsErr), RouteTables: known(tables[vpc], tablesErr), ACLs: known(acls[vpc], aclsErr),
				NATGateways: gateways, Endpoints: known(endpoints, endpointsErr), Rules: known(rules, rulesErr), PrefixLists: lists,
			}
		}
	}
}

// places returns the VPCs and the security groups, sorted, of the running
// instances of a region whose details are needed.
func (t *taking) places(region string) (vpcs, groups []string) {
	in, of := map[string]bool{}, map[string]bool{}
	for _, n := range t.nodes {
		instance, read := n.instance.Get()
		if n.region != region || !read || !running(&instance) || instance.VPC == "" || !t.looked(n) {
			continue
		}
		in[instance.VPC] = true
		for _, i := range instance.Interfaces {
			for _, group := range i.Groups {
				of[group] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(in)), slices.Sorted(maps.Keys(of))
}

// running reports whether the instance runs or starts. Others need no more
// facts.
func running(i *check.Instance) bool { return i.State == "running" || i.State == "pending" }

// withEndpoints adds the groups of the endpoints in the VPCs.
func withEndpoints(groups []string, endpoints []check.Endpoint, vpcs []string) []string {
	for i := range endpoints {
		if slices.Contains(vpcs, endpoints[i].VPC) {
			groups = append(groups, endpoints[i].Groups...)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// natGateways reads those of the region, where a route leads to one.
func (t *taking) natGateways(ctx context.Context, region string, tables map[string][]check.RouteTable) check.Known[map[string]check.NATGateway] {
	for _, ofVPC := range tables {
		for i := range ofVPC {
			if slices.ContainsFunc(ofVPC[i].Routes, func(r check.Route) bool { return r.OverNAT() }) {
				gateways, err := t.network(region).NATGateways(ctx)
				return known(gateways, err)
			}
		}
	}
	return check.Known[map[string]check.NATGateway]{}
}

// prefixLists reads the lists that rules name.
func (t *taking) prefixLists(ctx context.Context, region string, rules map[string][]check.Rule) map[string]check.Known[[]string] {
	lists := map[string]check.Known[[]string]{}
	for _, group := range slices.Sorted(maps.Keys(rules)) {
		for i := range rules[group] {
			id := rules[group][i].PrefixList
			if _, done := lists[id]; id == "" || done || len(lists) == maxPrefixLists {
				continue
			}
			ranges, err := t.network(region).PrefixList(ctx, id)
			lists[id] = known(ranges, err)
		}
	}
	return lists
}
