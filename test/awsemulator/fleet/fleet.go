// Package fleet is the machines of one account in one region: EC2 instances
// and managed nodes, with their SSM agents.
package fleet

import (
	"crypto/rsa"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
)

// The defaults of machines that a fixture does not describe further.
const (
	defaultAgentVersion = "3.3.3050.0"
	defaultInstanceType = "t3.micro"
	// heartbeat is how often an agent reports.
	heartbeat = 5 * time.Minute
	// lostAfter is how long an agent is online after its last report. What AWS waits has
	// not been seen.
	lostAfter = 3 * heartbeat
)

// Node is one machine. It is immutable: a change replaces it.
type Node struct {
	ID, Name string
	Tags     map[string]string
	// Managed marks a non-EC2 machine, "mi-…".
	Managed bool
	// Launched is when the machine was launched, or registered.
	Launched time.Time

	// What EC2 knows of an instance.
	State, Type, InstanceProfile string
	VPC, Subnet                  string
	PrivateIP, PublicIP          string
	SecurityGroups               []string
	// Interfaces are the network interfaces after the first, which has the
	// instance's own subnet, groups and addresses.
	Interfaces []fixtures.NetworkInterface
	Metadata   fixtures.Metadata

	// What an activation gave to a managed node.
	ActivationID, Role string
	// PublicKey and Fingerprint are what the agent of a managed node registered with; nil
	// and empty for one that exists only in the emulator.
	PublicKey   *rsa.PublicKey
	Fingerprint string
	// Source is what a node of a cloud connector, or a Greengrass core device, is.
	Source fixtures.Source

	// Agent is nil on an instance without one.
	Agent *Agent
}

// Agent is the SSM agent on a node.
type Agent struct {
	Version, PlatformType, PlatformName, PlatformVersion, ComputerName, IPAddress string
	// Online is the ping status. An agent can be online before it is connected.
	Online bool
	// Connected means that sessions reach it.
	Connected bool
	// Since is when it last went online or offline.
	Since time.Time
	// Pinged is when a real agent last reported. It is zero for those that exist only in the
	// emulator, which report all the time.
	Pinged time.Time
}

// IsOnline reports whether the agent is online at a time.
func (a *Agent) IsOnline(now time.Time) bool {
	return a.Online && (a.Pinged.IsZero() || now.Sub(a.Pinged) < lostAfter)
}

// LastPing is when the agent last reported.
func (a *Agent) LastPing(now time.Time) time.Time {
	if !a.Pinged.IsZero() {
		return a.Pinged
	}
	if !a.Online {
		return a.Since
	}
	return now.Add(-(now.Sub(a.Since) % heartbeat))
}

// Running reports whether the machine runs, as far as AWS knows.
func (n *Node) Running() bool { return n.Managed || n.State == "running" }

// Reachable reports whether a session can be opened on the node.
func (n *Node) Reachable() bool { return n.Running() && n.Agent != nil && n.Agent.Connected }

// Fleet is the machines of one account in one region. It is safe for
// concurrent use.
type Fleet struct {
	now     func() time.Time
	changed func(now time.Time)

	mu    sync.RWMutex
	nodes ordered.Map[*Node]
}

// New returns an empty fleet. changed, which may be nil, is called after each
// change.
func New(now func() time.Time, changed func(now time.Time)) *Fleet {
	return &Fleet{now: now, changed: changed, nodes: ordered.New[*Node]()}
}

// Nodes returns the machines by id, as of now.
func (f *Fleet) Nodes() ordered.Map[*Node] {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.nodes
}

// Node finds a machine by its id.
func (f *Fleet) Node(id string) (*Node, bool) { return f.Nodes().Get(id) }

// Put adds a machine or replaces it.
func (f *Fleet) Put(n *Node) {
	f.mu.Lock()
	f.nodes = f.nodes.With(n.ID, n)
	f.mu.Unlock()
	f.tell()
}

// Remove takes a machine away.
func (f *Fleet) Remove(id string) {
	f.mu.Lock()
	f.nodes = f.nodes.Without(id)
	f.mu.Unlock()
	f.tell()
}

// Change replaces a machine by a copy that change has changed.
func (f *Fleet) Change(id string, change func(*Node)) error {
	f.mu.Lock()
	n, ok := f.nodes.Get(id)
	if !ok {
		f.mu.Unlock()
		return fmt.Errorf("there is no node %s", id)
	}
	next := *n
	next.Tags = maps.Clone(n.Tags)
	if n.Agent != nil {
		agent := *n.Agent
		next.Agent = &agent
	}
	change(&next)
	f.nodes = f.nodes.With(id, &next)
	f.mu.Unlock()
	f.tell()
	return nil
}

func (f *Fleet) tell() {
	if f.changed != nil {
		f.changed(f.now())
	}
}

// SetOnline lets a node's agent come online, connected, or go off line.
func (f *Fleet) SetOnline(id string, online bool) error {
	return f.SetAgent(id, online, online)
}

// SetAgent sets a node's ping status and its connection separately: an agent
// can be online before it is connected.
func (f *Fleet) SetAgent(id string, online, connected bool) error {
	return f.Change(id, func(n *Node) {
		if n.Agent == nil {
			n.Agent = NewAgent(fixtures.Agent{}, f.now())
		}
		n.Agent.Online, n.Agent.Connected, n.Agent.Since = online, connected, f.now()
	})
}

// running is for how long the machines of a fixture have been there.
const running = time.Hour

// Load fills the fleet from a fixture.
func (f *Fleet) Load(r fixtures.Region) error {
	for _, i := range r.Instances {
		if !strings.HasPrefix(i.ID, "i-") {
			return fmt.Errorf("the id of an instance is i-…, not %q", i.ID)
		}
		f.Put(instance(i, f.now()))
	}
	for _, n := range r.ManagedNodes {
		if !strings.HasPrefix(n.ID, "mi-") {
			return fmt.Errorf("the id of a managed node is mi-…, not %q", n.ID)
		}
		f.Put(&Node{
			ID: n.ID, Name: n.Name, Tags: maps.Clone(n.Tags), Managed: true, Launched: f.now().Add(-running),
			ActivationID: n.ActivationID, Role: n.Role, Source: n.Source, Agent: NewAgent(n.Agent, f.now()),
		})
	}
	return nil
}

func instance(i fixtures.Instance, now time.Time) *Node {
	n := &Node{
		ID: i.ID, Name: i.Name, Tags: maps.Clone(i.Tags), Launched: now.Add(-running), State: i.State, Type: i.Type,
		InstanceProfile: i.InstanceProfile, VPC: i.VPC, Subnet: i.Subnet, PrivateIP: i.PrivateIP, PublicIP: i.PublicIP,
		SecurityGroups: i.SecurityGroups, Interfaces: i.Interfaces, Metadata: i.Metadata,
	}
	if n.Metadata.Tokens == "" {
		n.Metadata.Tokens = "required"
	}
	if n.Metadata.Endpoint == "" {
		n.Metadata.Endpoint = "enabled"
	}
	if n.State == "" {
		n.State = "running"
	}
	if n.Type == "" {
		n.Type = defaultInstanceType
	}
	if n.Name != "" {
		if n.Tags == nil {
			n.Tags = map[string]string{}
		}
		n.Tags["Name"] = n.Name
	}
	if i.Agent != nil {
		n.Agent = NewAgent(*i.Agent, now)
		if n.Agent.IPAddress == "" {
			n.Agent.IPAddress = n.PrivateIP
		}
	}
	return n
}

// NewAgent returns an agent as a fixture describes it, with defaults for what
// it leaves out.
func NewAgent(f fixtures.Agent, now time.Time) *Agent {
	a := &Agent{
		Version: f.Version, PlatformType: f.PlatformType, PlatformName: f.PlatformName, PlatformVersion: f.PlatformVersion,
		ComputerName: f.ComputerName, IPAddress: f.IPAddress, Online: !f.Offline, Connected: !f.Offline, Since: now,
	}
	if a.Version == "" {
		a.Version = defaultAgentVersion
	}
	if a.PlatformType == "" {
		a.PlatformType, a.PlatformName, a.PlatformVersion = "Linux", "Amazon Linux", "2023"
	}
	return a
}
