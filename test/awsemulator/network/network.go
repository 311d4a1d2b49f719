// Package network is the VPCs of one account in one region and what is in
// them: subnets, route tables, network ACLs, security groups, endpoints and
// gateways. It holds them in the SDK's own types.
package network

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// VPC is a VPC with its attributes, which EC2 returns separately.
type VPC struct {
	types.Vpc
	DNSSupport, DNSHostnames bool
}

// State is the network at one moment, everything by its id. It is immutable,
// what it holds too: a change replaces it.
type State struct {
	VPCs             ordered.Map[*VPC]
	Subnets          ordered.Map[*types.Subnet]
	RouteTables      ordered.Map[*types.RouteTable]
	ACLs             ordered.Map[*types.NetworkAcl]
	Groups           ordered.Map[*types.SecurityGroup]
	Rules            ordered.Map[*types.SecurityGroupRule]
	Endpoints        ordered.Map[*types.VpcEndpoint]
	NATGateways      ordered.Map[*types.NatGateway]
	InternetGateways ordered.Map[*types.InternetGateway]
	// PrefixLists are those of customers, each by its ranges.
	PrefixLists ordered.Map[ordered.Map[*types.PrefixListEntry]]
}

// Network is the network of one account in one region. It is safe for
// concurrent use.
type Network struct {
	service.Scope
	now func() time.Time

	mu    sync.RWMutex
	state *State
}

// New returns a network without anything in it.
func New(scope service.Scope, now func() time.Time) *Network {
	return &Network{Scope: scope, now: now, state: &State{
		VPCs: ordered.New[*VPC](), Subnets: ordered.New[*types.Subnet](), RouteTables: ordered.New[*types.RouteTable](),
		ACLs: ordered.New[*types.NetworkAcl](), Groups: ordered.New[*types.SecurityGroup](),
		Rules: ordered.New[*types.SecurityGroupRule](), Endpoints: ordered.New[*types.VpcEndpoint](),
		NATGateways: ordered.New[*types.NatGateway](), InternetGateways: ordered.New[*types.InternetGateway](),
		PrefixLists: ordered.New[ordered.Map[*types.PrefixListEntry]](),
	}}
}

// State returns the network as it is.
func (n *Network) State() *State {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.state
}

// Update replaces the state by a copy that change has changed. When change
// fails the state stays. change puts new values into the maps and never writes
// into those that are there.
func (n *Network) Update(change func(*State) error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	next := *n.state
	if err := change(&next); err != nil {
		return err
	}
	n.state = &next
	return nil
}

// Change replaces an entry of a map of a State by a copy that change has
// changed. change replaces lists, it never writes into them.
func Change[T any](m *ordered.Map[*T], id string, change func(*T)) error {
	old, ok := m.Get(id)
	if !ok {
		return fmt.Errorf("there is no %s in the network", id)
	}
	next := *old
	change(&next)
	*m = m.With(id, &next)
	return nil
}

// id makes the id of something that EC2 makes by itself, always the same for
// the same parts.
func id(prefix string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return prefix + hex.EncodeToString(sum[:])[:17]
}
