package stack

import (
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
)

// oldAgent is older than 2.3.68.0, the first with Session Manager.
const oldAgent = "2.2.93.0"

func removeAgent(t target) (undo, error) {
	if t.node.Agent == nil {
		return nil, notHere("the node has no agent")
	}
	agent := *t.node.Agent
	return t.alterNode(func(n *fleet.Node) { n.Agent = nil }, func(n *fleet.Node) {
		if n.Agent == nil {
			again := agent
			n.Agent = &again
		}
	})
}

func ageAgent(t target) (undo, error) {
	if t.node.Agent == nil {
		return nil, notHere("the node has no agent")
	}
	version := t.node.Agent.Version
	set := func(version string) func(*fleet.Node) {
		return func(n *fleet.Node) {
			if n.Agent != nil {
				n.Agent.Version = version
			}
		}
	}
	return t.alterNode(set(oldAgent), set(version))
}

func stopInstance(t target) (undo, error) {
	state := t.node.State
	return t.alterNode(func(n *fleet.Node) { n.State = "stopped" }, func(n *fleet.Node) { n.State = state })
}

func disableMetadata(t target) (undo, error) {
	before := t.node.Metadata.Endpoint
	return t.alterNode(func(n *fleet.Node) { n.Metadata.Endpoint = "disabled" }, func(n *fleet.Node) { n.Metadata.Endpoint = before })
}

func takeProfile(t target) (undo, error) {
	profile := t.node.InstanceProfile
	if profile == "" {
		return nil, notHere("the node has no instance profile")
	}
	return t.alterNode(func(n *fleet.Node) { n.InstanceProfile = "" }, func(n *fleet.Node) { n.InstanceProfile = profile })
}
