package check

import "fmt"

// scope says on which nodes a check is made.
type scope int

const (
	// reaching is proven by a connection.
	reaching scope = 1 << iota
	// onInstance and onHybrid: for nodes of that kind only.
	onInstance
	onHybrid
)

// chain holds the checks in their order: causes before symptoms, what to fix
// first before what depends on it, and last what concerns sessions on a node
// that is connected.
var chain = []struct {
	name  Name
	scope scope
	judge func(v *view) Check
}{
	{CheckInstanceState, reaching | onInstance, instanceState},
	// A node can be connected and its sessions refused for the tier.
	{CheckHybridTier, onHybrid, hybridTier},
	{CheckRegistration, reaching | onHybrid, registration},
	{CheckMetadataService, reaching | onInstance, metadataService},
	{CheckInstanceProfile, reaching | onInstance, instanceProfile},
	{CheckRoleTrust, reaching, roleTrust},
	{CheckRolePermissions, reaching, rolePermissions},
	{CheckDNSSupport, reaching | onInstance, placed(CheckDNSSupport, dnsSupport)},
	{CheckRoute, reaching | onInstance, core(CheckRoute, route)},
	{CheckEndpointPresent, reaching | onInstance, core(CheckEndpointPresent, endpointPresent)},
	{CheckEndpointState, reaching | onInstance, core(CheckEndpointState, endpointState)},
	{CheckEndpointSubnet, reaching | onInstance, core(CheckEndpointSubnet, endpointSubnet)},
	{CheckDNSHostnames, reaching | onInstance, core(CheckDNSHostnames, dnsHostnames)},
	{CheckEndpointPrivateDNS, reaching | onInstance, core(CheckEndpointPrivateDNS, endpointPrivateDNS)},
	{CheckEndpointPolicy, reaching | onInstance, core(CheckEndpointPolicy, endpointPolicy)},
	{CheckSecurityGroupEgress, reaching | onInstance, core(CheckSecurityGroupEgress, securityGroupEgress)},
	{CheckNetworkACL, reaching | onInstance, core(CheckNetworkACL, networkACL)},
	{CheckEndpointIngress, reaching | onInstance, core(CheckEndpointIngress, endpointIngress)},
	{CheckAgentOnline, reaching, agentOnline},
	{CheckConnected, 0, connected},
	{CheckAgentVersion, 0, agentVersion},
	{CheckSessionKey, 0, sessionKey},
	{CheckLogGroup, 0, logGroup},
	{CheckLogGroupEncryption, 0, logGroupEncryption},
	{CheckLogKeyPolicy, 0, logKeyPolicy},
	{CheckLogBucket, 0, logBucket},
	{CheckLogBucketEncryption, 0, logBucketEncryption},
	{CheckSessionPermissions, 0, sessionPermissions},
	{CheckSessionPath, onInstance, asking(CheckSessionPath, placed(CheckSessionPath, sessionPath))},
}

// Judge makes every check that applies to the node, in a fixed order. A node
// that is connected passes all that a connection proves; what its documents ask
// for is judged all the same.
func Judge(f *Facts) []Check {
	v := newView(f)
	other := onHybrid
	if f.Node.Hybrid() {
		other = onInstance
	}
	checks := make([]Check, 0, len(chain))
	for i := range chain {
		link := &chain[i]
		switch {
		case link.scope&other != 0:
		case link.scope&reaching != 0 && v.link == linkUp:
			checks = append(checks, Check{Name: link.name, Result: Pass, Reason: ProvenByConnection})
		default:
			checks = append(checks, link.judge(v))
		}
	}
	hint(checks)
	return checks
}

// hint extends the message of a symptom that no failure explains. It puts the
// first warning before it, as that is the likeliest cause, and adds what could
// not be read.
func hint(checks []Check) {
	var doubt *Check
	var unseen string
	var missing []string
	for i := range checks {
		c := &checks[i]
		switch {
		case c.Result == Fail && (c.Name == CheckAgentOnline || c.Name == CheckConnected):
			switch {
			case doubt == nil:
			case proven(doubt, c):
				c.Message, c.Remedy = c.Message+" "+doubt.Message, c.Remedy+" "+doubt.Remedy
			default:
				c.Message, c.Remedy = doubt.Message+" "+c.Message, doubt.Remedy+" "+c.Remedy
			}
			if unseen != "" {
				c.Remedy += " " + unseen
			}
			if len(missing) > 0 {
				c.Remedy += fmt.Sprintf(" The operator could say more if it were allowed %s.", list(sortedSet(missing)))
			}
			return
		case c.Result == Fail || c.Name == CheckConnected:
			return
		case c.Result == Warn && doubt == nil:
			doubt = c
		case c.Reason == SharedVPC:
			unseen = "Its VPC belongs to another account and was not looked at. " + c.Remedy
		}
		missing = append(missing, c.Missing...)
	}
}

// proven reports whether a warning is about a route over which the agent reports, so
// that it is not the likeliest cause.
func proven(doubt, symptom *Check) bool {
	return symptom.Reason == ChannelClosed && doubt.Name == CheckRoute
}

// placed is a check that needs to know where the instance is.
func placed(name Name, judge func(v *view) Check) func(v *view) Check {
	return func(v *view) Check {
		var missing gaps
		if _, known := need(&missing, v.Instance); !known {
			return missing.check(name)
		}
		if v.primary == nil {
			missing.notRead()
			return missing.check(name)
		}
		return judge(v)
	}
}

// asking is a check of what documents ask for. A survey does not read the
// location of a node whose documents ask for nothing.
func asking(name Name, judge func(v *view) Check) func(v *view) Check {
	return func(v *view) Check {
		if services, missing := v.sessionServices(); len(services) == 0 && missing == nil {
			return notNeeded(name)
		}
		return judge(v)
	}
}

// core is a check of the paths to the services that every agent needs.
func core(name Name, judge func(v *view, paths []path) Check) func(v *view) Check {
	return placed(name, func(v *view) Check { return judge(v, v.core) })
}
