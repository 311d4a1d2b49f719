package check

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// The services, as the names of their endpoints end.
const (
	serviceSSM         = "ssm"
	serviceSSMMessages = "ssmmessages"
	serviceEC2Messages = "ec2messages"
	serviceLogs        = "logs"
	serviceS3          = "s3"
	serviceKMS         = "kms"
)

// coreServices are what every agent needs.
var coreServices = []string{serviceSSM, serviceSSMMessages}

// Spellings of endpoints.
const (
	endpointAvailable = "available"
	endpointGateway   = "Gateway"
	endpointInterface = "Interface"
)

// hop is where the node's requests to a service leave its subnet.
type hop int

const (
	hopUnknown hop = iota
	// hopNone: nowhere.
	hopNone
	// hopPublic: over the route to public addresses.
	hopPublic
	// hopEndpoint: over the endpoint, or that is the only way once it is
	// repaired.
	hopEndpoint
)

// path is how the node gets to a service.
type path struct {
	service string
	hop     hop
	// endpoint of the service in the VPC, whether in the way or not. May be nil.
	endpoint *Endpoint
	// list is the prefix list that leads to a gateway endpoint.
	list string
	// missing, where the hop is unknown.
	missing gaps
}

// paths to services, in the order given.
func (v *view) paths(services []string) []path {
	var missing gaps
	endpoints, known := need(&missing, v.network.Endpoints)
	paths := make([]path, 0, len(services))
	for _, service := range services {
		p := path{service: service, missing: missing}
		if known {
			p.endpoint, p.list = v.endpoint(endpoints, service)
			p.hop, p.missing = v.hop(&p)
		}
		paths = append(paths, p)
	}
	return paths
}

// hop decides whether the endpoint is in the way. Where private DNS is on, and
// works, the service's name leads to it even if there is a way out.
func (v *view) hop(p *path) (hop, gaps) {
	var missing gaps
	hostnames, known := need(&missing, v.network.DNSHostnames)
	named := p.endpoint != nil && p.endpoint.named() && p.endpoint.available()
	switch {
	case p.endpoint != nil && p.endpoint.Type == endpointGateway, named && hostnames:
		return hopEndpoint, nil
	case named && !known && v.way.outlet.everywhere():
		// Its name may lead to either.
		return hopUnknown, missing
	case v.way.outlet.everywhere():
		return hopPublic, nil
	case v.way.outlet == outletUnknown:
		return hopUnknown, v.way.missing
	case p.endpoint != nil:
		return hopEndpoint, nil
	default:
		return hopNone, nil
	}
}

// endpoint of the service in the VPC: of several, the one most likely in use.
func (v *view) endpoint(endpoints []Endpoint, service string) (*Endpoint, string) {
	var best *Endpoint
	var list string
	for i := range endpoints {
		e := &endpoints[i]
		if e.VPC != v.network.VPC || !e.serves(service, v.Node.Region) {
			continue
		}
		via := ""
		if e.Type == endpointGateway {
			if via = v.gatewayRoute(e); via == "" {
				continue
			}
		}
		if best == nil || e.before(best) {
			best, list = e, via
		}
	}
	return best, list
}

// gatewayRoute is the prefix list by which the subnet's route table leads to a
// gateway endpoint, or empty.
func (v *view) gatewayRoute(e *Endpoint) string {
	for _, r := range v.way.routes {
		if r.Target == e.ID && !r.Blackhole {
			return r.Destination
		}
	}
	return ""
}

// serves: names are such as com.amazonaws.eu-west-1.ssm.
func (e *Endpoint) serves(service, region string) bool {
	return strings.HasSuffix(e.Service, "."+region+"."+service) && (e.Type == endpointInterface || e.Type == endpointGateway)
}

// named reports whether the service's name resolves to it in its VPC, where
// private DNS works.
func (e *Endpoint) named() bool { return e.PrivateDNS && !e.InboundResolversOnly }

func (e *Endpoint) available() bool { return strings.EqualFold(e.State, endpointAvailable) }

// before: what answers to the service's name comes first.
func (e *Endpoint) before(o *Endpoint) bool {
	return cmp.Or(cmp.Compare(o.rank(), e.rank()), cmp.Compare(e.ID, o.ID)) < 0
}

func (e *Endpoint) rank() int {
	switch {
	case e.named() && e.available():
		return 3
	case e.Type == endpointGateway:
		return 2
	case e.named():
		return 1
	default:
		return 0
	}
}

// addresses of the endpoint, and whether they are its whole subnets instead.
func (v *view) addresses(e *Endpoint) (ranges []netip.Prefix, bySubnet bool, missing gaps) {
	if own, known := e.Addresses.Get(); known && len(own) > 0 {
		return prefixes(own), false, nil
	}
	subnets, known := need(&missing, v.network.Subnets)
	if !known {
		return nil, true, missing
	}
	for _, id := range e.Subnets {
		subnet, read := subnets[id]
		own := ipv4(prefixes(subnet.CIDRs))
		if !read || len(own) == 0 {
			missing.notRead()
		}
		ranges = append(ranges, own...)
	}
	return ranges, true, missing
}

// prefixes that can be read.
func prefixes(cidrs []string) []netip.Prefix {
	ranges := make([]netip.Prefix, 0, len(cidrs))
	for _, cidr := range cidrs {
		if p, ok := parsePrefix(cidr); ok {
			ranges = append(ranges, p)
		}
	}
	return ranges
}

// ipv4 leaves out the ranges of IPv6 where there are others.
func ipv4(ranges []netip.Prefix) []netip.Prefix {
	four := slices.DeleteFunc(slices.Clone(ranges), func(p netip.Prefix) bool { return !p.Addr().Is4() })
	if len(four) == 0 {
		return ranges
	}
	return four
}
