package reach

// sharedBy is the account that shares the VPC with that of the node, or empty.
func (v *view) sharedBy() string {
	owner := v.network.OwnerID
	subnets, _ := v.network.Subnets.Get()
	if v.primary != nil && owner == "" {
		owner = subnets[v.primary.Subnet].OwnerID
	}
	if owner == v.Node.Account {
		return ""
	}
	return owner
}

// participant is the network as an account sees it that the VPC is shared with:
// what it did not make itself is not in AWS's answers, so that what they lack
// proves nothing. The route table and the list of a subnet can be seen from where
// it is shared to.
func (v *view) participant(owner string) *Network {
	n := *v.network
	n.DNSSupport, n.DNSHostnames = ownedBy[bool](owner), ownedBy[bool](owner)
	n.Endpoints = ownedBy[[]Endpoint](owner)
	if tables, read := n.RouteTables.Get(); read && (v.primary == nil || tableOf(tables, v.primary.Subnet) == nil) {
		n.RouteTables = ownedBy[[]RouteTable](owner)
	}
	if acls, read := n.ACLs.Get(); read && (v.primary == nil || aclOf(acls, v.primary.Subnet) == nil) {
		n.ACLs = ownedBy[[]NetworkACL](owner)
	}
	return &n
}
