package collect

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// selectNodes finds the nodes that have the tags. A selection that could not be
// read is empty, and has an error unless a permission is missing.
func (t *taking) selectNodes(ctx context.Context, selections []Selection) {
	for _, s := range selections {
		if _, done := t.selected[s.key()]; !done {
			t.selected[s.key()] = t.selection(ctx, s)
		}
	}
}

// selection finds the nodes of one selection: those that SSM knows, and the EC2
// instances that it does not.
func (t *taking) selection(ctx context.Context, s Selection) selected {
	agents, more, err := t.ssm(s.Region).TaggedAgents(ctx, s.Tags, MaxSelected)
	if failed(err) {
		return selected{err: fmt.Errorf("find nodes by their tags: %w", err)}
	}
	// Without the instances, those that SSM does not know are not found.
	instances, others, instancesErr := t.network(s.Region).TaggedInstances(ctx, s.Tags, MaxSelected)
	if failed(instancesErr) {
		return selected{err: fmt.Errorf("find instances by their tags: %w", instancesErr)}
	}
	found := slices.Sorted(maps.Keys(agents))
	for id := range instances {
		if _, twice := agents[id]; !twice {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	if len(found) > MaxSelected {
		found, more = found[:MaxSelected], true
	}
	for _, id := range found {
		t.take(id, s.Region, agents, instances)
	}
	return selected{ids: found, more: more || others, denied: denied(err, instancesErr)}
}

// complete reports whether all selections could be read.
func (t *taking) complete() bool {
	for _, found := range t.selected {
		if found.err != nil || len(found.denied) > 0 {
			return false
		}
	}
	return true
}

// dropGone removes from the selections the instances that do not exist, or are
// terminating: SSM still lists them for a while. Those that are named stay.
func (t *taking) dropGone(named map[string][]string) {
	gone := func(id string) bool {
		instance, read := t.nodes[id].instance.Get()
		return read && (instance.State == "" || instance.Terminated())
	}
	for key, found := range t.selected {
		found.ids = slices.DeleteFunc(found.ids, gone)
		t.selected[key] = found
	}
	for id := range t.nodes {
		if _, meant := named[id]; !meant && gone(id) {
			delete(t.nodes, id)
		}
	}
}

// failed reports whether there was no answer. A denial is an answer.
func failed(err error) bool { return err != nil && awserr.Classify(err) != awserr.Refused }

// denied are the actions that were refused.
func denied(errs ...error) []string {
	var actions []string
	for _, err := range errs {
		if action := awserr.Action(err); action != "" {
			actions = append(actions, action)
		}
	}
	return actions
}

// take puts what a selection has found into its node.
func (t *taking) take(id, region string, agents map[string]check.Agent, instances map[string]check.Instance) {
	t.want(id, []string{region})
	n := t.nodes[id]
	if agent, ok := agents[id]; ok {
		n.agent, n.region = check.Is(agent), region
	}
	if instance, ok := instances[id]; ok {
		n.instance, n.region = check.Is(instance), region
	}
}

// agents asks SSM about the nodes whose agents are not known yet, in each region
// where they may be. It fails where no region gives an answer.
func (t *taking) agents(ctx context.Context) error {
	regions := t.regionNames()
	for _, region := range regions {
		nodes := t.pick(func(n *node) bool { return !n.registered() && slices.Contains(n.wanted, region) })
		found, err := t.ssm(region).NodeAgents(ctx, ids(nodes))
		if failed(err) {
			t.lostRegions[region] = fmt.Errorf("read what is known of the nodes: %w", err)
		}
		for _, n := range nodes {
			agent, ok := found[n.id]
			switch {
			case err != nil:
				n.agent = known(agent, err)
			case ok:
				n.agent, n.region = check.Is(agent), region
			case n.agent.Missing() == check.Missing{}:
				n.agent = check.Is(check.Agent{})
			}
		}
	}
	if n := len(t.lostRegions); n > 0 && n == len(regions) {
		return t.lostRegions[regions[0]]
	}
	return nil
}

// instances reads the EC2 instances among the nodes for which holds is true. One
// that is not found has the zero value, unless it may be in a region whose
// instances the operator could not read.
func (t *taking) instances(ctx context.Context, holds func(*node) bool) {
	for _, region := range t.regionNames() {
		nodes := t.pick(func(n *node) bool {
			instance, read := n.instance.Get()
			elsewhere := read && instance.State != "" || n.registered() && n.region != region
			return !n.hybrid() && !elsewhere && slices.Contains(n.wanted, region) && holds(n)
		})
		found, err := t.network(region).Instances(ctx, ids(nodes))
		for _, n := range nodes {
			instance, ok := found[n.id]
			switch {
			case err != nil:
				n.instance = known(instance, err)
			case ok:
				n.instance, n.region = check.Is(instance), region
			case n.instance.Missing() == check.Missing{}:
				n.instance = check.Is(check.Instance{})
			}
		}
	}
}
