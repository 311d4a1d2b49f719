package stack

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/kms"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/logs"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/network"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/s3"
)

// ErrNotHere is that a machine's stack does not have what a cause would break.
var ErrNotHere = errors.New("the stack does not have what the cause would break")

// Parts are what a stack is made of, in one account and region.
type Parts struct {
	IAM     *iam.Account
	Fleet   *fleet.Fleet
	Network *network.Network
	Keys    *kms.Region
	Logs    *logs.Region
	Buckets *s3.Store
}

// Broken is an active cause on a machine.
type Broken struct {
	Node  string `json:"node"`
	Cause Cause  `json:"cause"`
	undo  undo
}

// Stack breaks and repairs. It is safe for concurrent use.
type Stack struct {
	Parts

	mu     sync.Mutex
	broken []*Broken
	// healthy is how the agents were before anything was broken.
	healthy map[string]agentState
}

type agentState struct{ online, connected bool }

// New returns a stack without any defect.
func New(p Parts) *Stack { return &Stack{Parts: p, healthy: map[string]agentState{}} }

// Break activates a cause on a machine: it changes the one thing that the cause
// is about, and shows the agent as AWS would show it. The function that it
// returns undoes both; it does so once, however often it is called. Several
// causes can be undone in any order. The error is ErrNotHere for a stack
// without the thing.
func (s *Stack) Break(node string, cause Cause) (mend func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how, ok := switches[cause]
	if !ok {
		return nil, fmt.Errorf("there is no cause %q", cause)
	}
	n, ok := s.Fleet.Node(node)
	if !ok {
		return nil, fmt.Errorf("there is no node %s", node)
	}
	if slices.ContainsFunc(s.broken, func(b *Broken) bool { return b.Node == node && b.Cause == cause }) {
		return nil, fmt.Errorf("%s is in force on %s already", cause, node)
	}
	if _, ok := s.healthy[node]; !ok && n.Agent != nil {
		s.healthy[node] = agentState{n.Agent.Online, n.Agent.Connected}
	}
	back, err := how.apply(target{s.Parts, n})
	if err != nil {
		return nil, fmt.Errorf("break %s on %s: %w", cause, node, err)
	}
	b := &Broken{Node: node, Cause: cause, undo: back}
	s.broken = append(s.broken, b)
	return func() error { return s.mend(b) }, s.show(node)
}

// Mend undoes a cause on a machine; an empty cause or node means all.
func (s *Stack) Mend(node string, cause Cause) error {
	var errs []error
	for _, b := range slices.Backward(s.Broken()) {
		if (node == "" || b.Node == node) && (cause == "" || b.Cause == cause) {
			errs = append(errs, s.mend(&b))
		}
	}
	return errors.Join(errs...)
}

// Broken lists the active causes, in the order of their activation.
func (s *Stack) Broken() []Broken {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Broken{}
	for _, b := range s.broken {
		list = append(list, *b)
	}
	return list
}

// mend undoes one cause. It first undoes the later causes that touch the same
// thing, and then activates them again.
func (s *Stack) mend(b *Broken) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.broken, func(x *Broken) bool { return x.Node == b.Node && x.Cause == b.Cause })
	if i < 0 {
		return nil
	}
	var above []*Broken
	for _, later := range s.broken[i+1:] {
		if touches := switches[b.Cause].touches; touches != "" && switches[later.Cause].touches == touches {
			above = append(above, later)
		}
	}
	errs := []error{takeBack(above), takeBack([]*Broken{s.broken[i]})}
	s.broken = slices.Delete(s.broken, i, i+1)
	for _, again := range above {
		n, ok := s.Fleet.Node(again.Node)
		if !ok {
			continue
		}
		back, err := switches[again.Cause].apply(target{s.Parts, n})
		if err != nil {
			s.broken = slices.DeleteFunc(s.broken, func(x *Broken) bool { return x == again })
		}
		again.undo, errs = back, append(errs, err)
	}
	if err := errors.Join(append(errs, s.show(b.Node))...); err != nil {
		return fmt.Errorf("mend %s on %s: %w", b.Cause, b.Node, err)
	}
	return nil
}

// takeBack undoes what was brought about, the last first.
func takeBack(list []*Broken) error {
	var errs []error
	for _, b := range slices.Backward(list) {
		errs = append(errs, b.undo())
	}
	return errors.Join(errs...)
}

// show sets the agent of a machine to the state that all active causes lead to.
func (s *Stack) show(node string) error {
	n, ok := s.Fleet.Node(node)
	want, known := s.healthy[node]
	if !ok || !known || n.Agent == nil {
		return nil
	}
	left := false
	for _, b := range s.broken {
		if b.Node != node {
			continue
		}
		left = true
		switch switches[b.Cause].effect {
		case Lost:
			want = agentState{}
		case Disconnected:
			want.connected = false
		case Connected:
		}
	}
	if !left {
		delete(s.healthy, node)
	}
	if n.Agent.Online == want.online && n.Agent.Connected == want.connected {
		return nil
	}
	return s.Fleet.SetAgent(node, want.online, want.connected)
}
