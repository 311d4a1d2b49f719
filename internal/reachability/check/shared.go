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

// participant is the network as seen by an account that the VPC is shared with.
// AWS's answers leave out what that account did not create, so a missing entry
// proves nothing. Without the endpoints no way is known, and so neither what its
// route nor what its network ACL would have to let through.
func (v *view) participant(owner string) *Network {
	n := *v.network
	n.DNSSupport, n.DNSHostnames = ownedBy[bool](owner), ownedBy[bool](owner)
	n.Endpoints = ownedBy[[]Endpoint](owner)
	return &n
}
