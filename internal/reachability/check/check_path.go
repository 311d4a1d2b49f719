package check

import (
	"fmt"
	"slices"
)

// The checks in this file and the next are made of paths to services: to those
// that every agent needs, and to those that documents log to.

func dnsSupport(v *view) Check {
	var missing gaps
	on, known := need(&missing, v.network.DNSSupport)
	switch {
	case !known:
		return missing.check(CheckDNSSupport)
	case !on:
		return fail(CheckDNSSupport, DNSSupportOff,
			fmt.Sprintf("DNS support is off in %s, so no names resolve there but by DNS servers of your own.", v.network.VPC),
			"Set enableDnsSupport of the VPC to true, unless its DHCP options name DNS servers that resolve the names of AWS's services.")
	default:
		return pass(CheckDNSSupport)
	}
}

// dnsHostnames is needed for the private names of endpoints only. Where there is
// a way out, names without them lead there, and no endpoint is in the way.
func dnsHostnames(v *view, paths []path) Check {
	c := notNeeded(CheckDNSHostnames)
	for i := range paths {
		p := &paths[i]
		if p.hop == hopUnknown {
			c = worse(c, p.missing.check(CheckDNSHostnames))
		}
		if p.hop != hopEndpoint || p.endpoint.Type != endpointInterface {
			continue
		}
		var missing gaps
		on, known := need(&missing, v.network.DNSHostnames)
		switch {
		case !known:
			c = worse(c, missing.check(CheckDNSHostnames))
		case !on:
			return fail(CheckDNSHostnames, DNSHostnamesOff,
				fmt.Sprintf("DNS host names are off in %s, so the names of services do not lead to its endpoints.", v.network.VPC),
				"Set enableDnsHostnames of the VPC to true.")
		default:
			c = worse(c, pass(CheckDNSHostnames))
		}
	}
	return c
}

// route is whether anything leads out of the subnet, where endpoints do not.
func route(v *view, paths []path) Check {
	without, uncertain := 0, gaps(nil)
	for i := range paths {
		if paths[i].endpoint == nil {
			without++
		}
		if paths[i].endpoint == nil && paths[i].hop == hopUnknown {
			uncertain = append(uncertain, paths[i].missing...)
		}
	}
	subnet, w := v.primary.Subnet, &v.way
	switch {
	case without == 0:
		return notNeeded(CheckRoute)
	case uncertain != nil:
		return uncertain.check(CheckRoute)
	case w.outlet == outletOpen && w.missing != nil:
		return w.missing.check(CheckRoute)
	case w.outlet == outletOpen:
		return pass(CheckRoute)
	case w.outlet == outletBeyond, w.outlet == outletSome:
		return warn(CheckRoute, RouteOutOfSight,
			fmt.Sprintf("The way out of %s leads over %s (route table %s), and what lies behind cannot be seen from here.", subnet, w.target, w.table),
			"See that it leads on to the endpoints of Systems Manager, or create the endpoints ssm and ssmmessages in the VPC.")
	case w.outlet == outletIPv6:
		return warn(CheckRoute, RouteOnlyIPv6,
			fmt.Sprintf("The only way out of %s is for IPv6 (route table %s), which agents do not use unless they are configured to.", subnet, w.table),
			"Set UseDualStackEndpoint in the configuration of an agent of 3.3.3270.0 or later, or give the subnet a way out for IPv4.")
	case w.outlet == outletBlackhole:
		return fail(CheckRoute, RouteBlackhole,
			fmt.Sprintf("The default route of %s (route table %s) leads to %s, which is gone.", subnet, w.table, w.target),
			"Point the route at a NAT gateway that exists, or create the endpoints ssm and ssmmessages.")
	case w.outlet == outletShut:
		return fail(CheckRoute, NATGatewayShut,
			fmt.Sprintf("The default route of %s (route table %s) leads to %s, which %s.", subnet, w.table, w.target, v.whyShut(w.target)),
			"Point the route at a public NAT gateway that is available, in a subnet with a route to an internet gateway, or create the endpoints ssm and ssmmessages.")
	case without < len(paths):
		// What is missing is another endpoint.
		return notNeeded(CheckRoute)
	case w.outlet == outletPrivate:
		return fail(CheckRoute, NoPublicAddress,
			fmt.Sprintf("The way out of %s is the internet gateway %s (route table %s), but %s has no public address.", subnet, w.target, w.table, v.Node.ID),
			"Give the instance a public address, or route the subnet over a NAT gateway, or create the endpoints ssm and ssmmessages.")
	default:
		return fail(CheckRoute, NoRoute,
			fmt.Sprintf("Nothing leads from %s (route table %s) to Systems Manager: %s has neither a route out nor an endpoint.", subnet, w.table, v.network.VPC),
			"Create the endpoints ssm and ssmmessages in the VPC, or route the subnet over a NAT gateway.")
	}
}

func endpointPresent(v *view, paths []path) Check {
	c := pass(CheckEndpointPresent)
	var absent []string
	for i := range paths {
		switch {
		case paths[i].endpoint != nil:
		case paths[i].hop == hopUnknown:
			c = worse(c, paths[i].missing.check(CheckEndpointPresent))
		case paths[i].hop == hopNone:
			absent = append(absent, paths[i].service)
		}
	}
	if len(absent) == 0 {
		if len(paths) > 0 && paths[0].service == serviceSSM {
			return worse(c, oldMessages(v))
		}
		return c
	}
	found := v.absent(absent)
	if v.way.outlet == outletSome {
		return warn(CheckEndpointPresent, EndpointElsewhere,
			found+fmt.Sprintf(" If those of another network serve, over %s, that cannot be seen from here.", v.way.target),
			"See that they do, or create them in the VPC.")
	}
	return fail(CheckEndpointPresent, EndpointMissing, found,
		fmt.Sprintf("Create interface endpoints for %s in %s, with private DNS.", list(absent), v.network.VPC))
}

// absent says which endpoints are missing, and where they are instead.
func (v *view) absent(services []string) string {
	text := fmt.Sprintf("%s has no endpoint for %s, and its subnet %s no other way out.", v.network.VPC, list(services), v.primary.Subnet)
	endpoints, _ := v.network.Endpoints.Get()
	var elsewhere []string
	for i := range endpoints {
		e := &endpoints[i]
		serves := func(service string) bool { return e.serves(service, v.Node.Region) }
		if e.VPC != v.network.VPC && slices.ContainsFunc(services, serves) {
			elsewhere = append(elsewhere, fmt.Sprintf("%s is in %s", e.ID, e.VPC))
		}
	}
	if len(elsewhere) > 0 {
		text += fmt.Sprintf(" (%s.)", list(sortedSet(elsewhere)))
	}
	return text
}

// oldMessages: agents before 3.3.40.0 take commands, though no sessions, over
// ec2messages.
func oldMessages(v *view) Check {
	c := pass(CheckEndpointPresent)
	p := v.paths([]string{serviceEC2Messages})[0]
	agent, known := v.agent.Get()
	if p.hop == hopEndpoint || p.hop == hopPublic || known && !agent.Registered {
		return c
	}
	version, reported := v.agentVersion()
	switch {
	case !reported:
		return agentUnseen(v, CheckEndpointPresent)
	case version.Before(sinceMessages) && p.hop == hopUnknown:
		return p.missing.check(CheckEndpointPresent)
	case version.Before(sinceMessages):
		return warn(CheckEndpointPresent, EndpointMissing,
			fmt.Sprintf("%s has no endpoint for ec2messages, which the agent %s of %s still uses.", v.network.VPC, version, v.Node.ID),
			fmt.Sprintf("Update the agent to %s or later, or create the endpoint.", sinceMessages))
	default:
		return c
	}
}

// eachEndpoint takes the gravest finding on the endpoints in the way.
func eachEndpoint(name Name, paths []path, judge func(p *path) Check) Check {
	c := notNeeded(name)
	for i := range paths {
		p := &paths[i]
		switch p.hop {
		case hopEndpoint:
			found := judge(p)
			if c.Reason == NotNeeded && found.Result == Pass {
				c = found
			}
			c = worse(c, found)
		case hopUnknown:
			c = worse(c, p.missing.check(name))
		default:
		}
	}
	return c
}

func endpointState(_ *view, paths []path) Check {
	return eachEndpoint(CheckEndpointState, paths, func(p *path) Check {
		if p.endpoint.available() {
			return pass(CheckEndpointState)
		}
		return fail(CheckEndpointState, EndpointNotAvailable,
			fmt.Sprintf("Endpoint %s for %s is %s.", p.endpoint.ID, p.service, p.endpoint.State),
			"Wait if it is pending; else accept it, or delete it and create it again.")
	})
}

func endpointSubnet(_ *view, paths []path) Check {
	return eachEndpoint(CheckEndpointSubnet, paths, func(p *path) Check {
		if p.endpoint.Type == endpointGateway || len(p.endpoint.Subnets) > 0 {
			return pass(CheckEndpointSubnet)
		}
		return fail(CheckEndpointSubnet, EndpointWithoutSubnet,
			fmt.Sprintf("Endpoint %s for %s is in no subnet, so it has no address.", p.endpoint.ID, p.service),
			"Add a subnet of each zone that nodes are in to the endpoint.")
	})
}

func endpointPrivateDNS(v *view, paths []path) Check {
	return eachEndpoint(CheckEndpointPrivateDNS, paths, func(p *path) Check {
		if p.endpoint.Type == endpointGateway || p.endpoint.named() {
			return pass(CheckEndpointPrivateDNS)
		}
		lacks := "no private DNS"
		if p.endpoint.InboundResolversOnly {
			lacks = "private DNS for inbound resolvers only"
		}
		c := fail(CheckEndpointPrivateDNS, EndpointPrivateDNSOff,
			fmt.Sprintf("Endpoint %s for %s has %s, so the service's name leads past it.", p.endpoint.ID, p.service, lacks),
			"Enable private DNS on the endpoint for all resolvers, unless a hosted zone of your own has the name.")
		if v.way.outlet == outletSome {
			return c.as(Warn)
		}
		return c
	})
}
