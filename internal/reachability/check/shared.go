package check

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
// proves nothing. Without the endpoints no way is known, and so neither what its
// route or its network ACL would have to let through.
func (v *view) participant(owner string) *Network {
	n := *v.network
	n.DNSSupport, n.DNSHostnames = ownedBy[bool](owner), ownedBy[bool](owner)
	n.Endpoints = ownedBy[[]Endpoint](owner)
	return &n
}
