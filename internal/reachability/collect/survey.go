package collect

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/network"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// Survey is what was read of an account's nodes.
type Survey struct {
	account, partition string
	now                time.Time
	nodes              map[string]*node
	// selected are by the keys of selections.
	selected map[string]selected
	regions  map[string]*region
	// lostRegions are those that give no answer about nodes.
	lostRegions map[string]error
	// profiles and services are the roles read, by the profile's ARN and by name.
	profiles, services map[string]check.Known[iam.NodeRole]
}

// node is what was read of one node by itself.
type node struct {
	id string
	// wanted are the regions to search for the node, and region is where it is:
	// the first of them as long as it was not found.
	wanted     []string
	region     string
	agent      check.Known[check.Agent]
	connection check.Known[check.ConnectionStatus]
	instance   check.Known[check.Instance]
}

// region is what nodes of a region share.
type region struct {
	documents   map[string]check.Known[check.Content]
	logging     *check.Logging
	networks    map[string]*check.Network
	roles       map[string]check.Known[check.Role]
	tier        check.Known[check.Tier]
	defaultRole check.Known[check.Role]
}

// selected are the nodes of a selection. denied are the actions that the operator
// lacks; without them, there may be other nodes.
type selected struct {
	ids    []string
	more   bool
	denied []string
	// err is why the nodes could not be listed.
	err error
}

// taking is a survey in progress.
type taking struct {
	*Survey
	iam *iam.Account
}

// ssm is Systems Manager in a region of the account.
func (t *taking) ssm(region string) ssm.Region { return ssm.In(t.iam.Account, region) }

// network is the network of a region of the account.
func (t *taking) network(region string) network.Region { return network.In(t.iam.Account, region) }

// Take reads what the request asks for. now is the time by the clock of the
// agents' reports.
func Take(ctx context.Context, account *iam.Account, now time.Time, r *Request) (*Survey, error) {
	s := &Survey{
		account: r.AccountID, partition: r.Partition, now: now,
		nodes: map[string]*node{}, selected: map[string]selected{}, regions: map[string]*region{}, lostRegions: map[string]error{},
		profiles: map[string]check.Known[iam.NodeRole]{}, services: map[string]check.Known[iam.NodeRole]{},
	}
	t := &taking{Survey: s, iam: account}
	for _, name := range r.regions() {
		s.regions[name] = &region{networks: map[string]*check.Network{}, roles: map[string]check.Known[check.Role]{}}
	}
	t.selectNodes(ctx, r.Selections)
	for id, regions := range r.Nodes {
		s.want(id, regions)
	}
	if err := t.agents(ctx); err != nil {
		return nil, err
	}
	t.instances(ctx, t.quiet)
	t.dropGone(r.Nodes)
	memory := r.Memory
	if memory == nil {
		memory = &Memory{}
	}
	t.connections(ctx, memory, r.Partial)
	t.documents(ctx, r.Documents)
	t.instances(ctx, func(n *node) bool { return t.asked(n) || t.closed(n) })
	t.networks(ctx)
	t.settings(ctx)
	t.roles(ctx)
	return s, ctx.Err()
}

// want adds a node to the survey.
func (s *Survey) want(id string, regions []string) {
	if len(regions) == 0 {
		return
	}
	n := s.nodes[id]
	if n == nil {
		n = &node{id: id, region: regions[0]}
		s.nodes[id] = n
	}
	for _, region := range regions {
		if !slices.Contains(n.wanted, region) {
			n.wanted = append(n.wanted, region)
		}
	}
}

// pick lists the nodes for which something holds, by id.
func (s *Survey) pick(holds func(*node) bool) []*node {
	var picked []*node
	for _, n := range s.nodes {
		if holds(n) {
			picked = append(picked, n)
		}
	}
	slices.SortFunc(picked, func(a, b *node) int { return strings.Compare(a.id, b.id) })
	return picked
}

func ids(nodes []*node) []string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.id
	}
	return list
}

// regionNames are those of the regions that answer.
func (s *Survey) regionNames() []string {
	names := slices.Sorted(maps.Keys(s.regions))
	return slices.DeleteFunc(names, func(name string) bool { return s.lostRegions[name] != nil })
}

// lost reports whether the node may be in a region that gives no answer.
func (s *Survey) lost(n *node) bool {
	return !n.registered() && slices.ContainsFunc(n.wanted, func(region string) bool { return s.lostRegions[region] != nil })
}

func (n *node) facts() *check.Node { return &check.Node{ID: n.id} }

// hybrid reports whether the node is not an EC2 instance.
func (n *node) hybrid() bool { return n.facts().Hybrid() }

// registered reports whether SSM knows the node's agent, and so the node's
// region.
func (n *node) registered() bool {
	agent, known := n.agent.Get()
	return known && agent.Registered
}

// quiet reports whether the agent's reports do not show that the node is
// connected.
func (t *taking) quiet(n *node) bool { return check.NeedsConnectionStatus(n.agent, t.now) }

// down reports whether the node is not known to be connected.
func (s *Survey) down(n *node) bool {
	return check.NeedsNetwork(&check.Facts{Now: s.now, Node: check.Node{ID: n.id, Agent: n.agent, Connection: n.connection}})
}

// closed reports whether the node is not connected, although its agent reports.
func (t *taking) closed(n *node) bool { return !t.quiet(n) && t.down(n) }

// asked reports whether session documents in the node's region ask for logs or
// keys.
func (t *taking) asked(n *node) bool { return t.regions[n.region].asks() }

// looked reports whether the survey reads more about the node than its
// connection.
func (t *taking) looked(n *node) bool { return t.down(n) || t.asked(n) }

// known makes a fact of an answer.
func known[T any](value T, err error) check.Known[T] {
	switch awserr.Classify(err) {
	case awserr.None:
		return check.Is(value)
	case awserr.Refused:
		return check.Denied[T](awserr.Action(err))
	default:
		return check.Unread[T](cmp.Or(awserr.Action(err), "AWS"))
	}
}
