package collect

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// settings reads what a region sets for all its nodes: the tier where there are
// hybrid ones, and default host management where an instance is not connected, or
// has no other role and documents ask for what a role allows.
func (t *taking) settings(ctx context.Context) {
	for _, name := range t.regionNames() {
		r := t.regions[name]
		here := t.pick(func(n *node) bool { return n.region == name })
		if slices.ContainsFunc(here, (*node).hybrid) {
			setting, err := t.ssm(name).TierSetting(ctx)
			r.tier = known(check.Tier{Advanced: setting.Tier == ssm.Advanced, Pending: setting.Pending}, err)
		}
		if slices.ContainsFunc(here, func(n *node) bool { return !n.hybrid() && t.down(n) || profileless(n) && t.asked(n) }) {
			t.hostSetting(ctx, name)
		}
	}
}

// hostSetting reads which role default host management gives, once for a region.
func (t *taking) hostSetting(ctx context.Context, name string) {
	r := t.regions[name]
	if _, read := r.defaultRole.Get(); read || r.defaultRole.Missing() != (check.Missing{}) {
		return
	}
	role, err := t.ssm(name).HostManagementRole(ctx)
	r.defaultRole = known(check.Role{Name: role}, err)
}

// roleOf names the role of a node, by its instance profile or by name, as a key
// of region.roles. Empty where it is that of default host management, or nothing
// need be known of it.
func (t *taking) roleOf(n *node) string {
	if n.hybrid() {
		agent, _ := n.agent.Get()
		return agent.Role
	}
	instance, read := n.instance.Get()
	if !read || !running(&instance) {
		return ""
	}
	return instance.ProfileARN
}

// profileless reports whether a node depends on default host management.
func profileless(n *node) bool {
	instance, read := n.instance.Get()
	return read && running(&instance) && instance.ProfileARN == "" && !n.hybrid()
}

// roles reads the roles of the nodes whose details are needed, those of nodes
// that are not connected first.
func (t *taking) roles(ctx context.Context) {
	nodes := t.pick(t.looked)
	slices.SortStableFunc(nodes, func(a, b *node) int { return cmp.Compare(b2i(t.down(b)), b2i(t.down(a))) })
	read := 0
	for _, n := range nodes {
		r := t.regions[n.region]
		if profileless(n) {
			t.hostRole(ctx, n.region)
		}
		key := t.roleOf(n)
		if _, done := r.roles[key]; key == "" || done || read == maxRoles {
			continue
		}
		r.roles[key] = t.role(ctx, n.region, key)
		read++
	}
	for _, n := range nodes {
		if t.roleOf(n) != "" && check.Substituted(t.Facts(n.id, nil)) {
			t.hostSetting(ctx, n.region)
			t.hostRole(ctx, n.region)
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// hostRole completes the role of default host management, once an instance needs
// it.
func (t *taking) hostRole(ctx context.Context, name string) {
	r := t.regions[name]
	role, read := r.defaultRole.Get()
	switch {
	case !read || role.Name == "" || role.Allowed != nil || role.Missing || role.Managed:
		return
	case check.ServiceManaged(role.Name):
		if found, read := t.nodeRole(ctx, role.Name).Get(); read {
			r.defaultRole = check.Is(check.Role{Name: role.Name, Managed: true, Missing: found.Name == ""})
		}
		return
	}
	r.defaultRole = t.role(ctx, name, role.Name)
	if found, read := r.defaultRole.Get(); read && found.Name == "" {
		r.defaultRole = check.Is(check.Role{Name: role.Name, Missing: true})
	}
}

// role reads a role and what it allows in a region.
func (t *taking) role(ctx context.Context, region, key string) check.Known[check.Role] {
	found := t.nodeRole(ctx, key)
	role, read := found.Get()
	switch {
	case !read && found.Missing().Denied:
		return check.Denied[check.Role](found.Missing().Action)
	case !read:
		return check.Unread[check.Role](found.Missing().Action)
	case role.Name == "":
		return check.Is(check.Role{})
	}
	needed := check.PermissionsNeeded(&check.Facts{
		Node:      check.Node{Account: t.account, Partition: t.partition, Region: region},
		Documents: t.allDocuments(region), Logging: t.regions[region].logging,
	})
	allowed, err := t.iam.RoleAllows(ctx, role.ARN, region, needed)
	out := check.Role{
		Name: role.Name, Trust: check.Is(role.Trust), Allowed: map[check.Permission]check.Known[bool]{},
		Capped: map[check.Permission]bool{}, Conditional: map[check.Permission][]string{},
	}
	for _, p := range needed {
		switch allowance, judged := allowed[p]; {
		case len(allowance.Conditions) > 0:
			out.Conditional[p] = allowance.Conditions
		case judged || err != nil:
			out.Allowed[p], out.Capped[p] = known(allowance.Allowed, err), allowance.Organization
		}
	}
	return check.Is(out)
}

// nodeRole reads a role once, however many regions have nodes with it.
func (t *taking) nodeRole(ctx context.Context, key string) check.Known[iam.NodeRole] {
	cache, read := t.services, t.iam.ServiceRole
	if strings.Contains(key, ":instance-profile/") {
		cache, read = t.profiles, t.iam.ProfileRole
	}
	found, done := cache[key]
	if !done {
		role, err := read(ctx, key)
		found = known(role, err)
		cache[key] = found
	}
	return found
}
