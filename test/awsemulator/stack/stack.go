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

// Broken is a cause in force on a machine.
type Broken struct {
	Node  string `json:"node"`
	Cause Cause  `json:"cause"`
	undo  undo
}

// Stack breaks and mends. It is safe for concurrent use.
type Stack struct {
	Parts

	mu     sync.Mutex
	broken []*Broken
	// healthy is how the agents were before anything was broken.
	healthy map[string]agentState
}

type agentState struct{ online, connected bool }

// New returns a stack of which nothing is broken.
func New(p Parts) *Stack { return &Stack{Parts: p, healthy: map[string]agentState{}} }

// Break brings about a cause on a machine: it changes the one thing that the
// cause is about, and lets the agent be seen as AWS would see it. mend takes
// back both; it does so once, however often it is called. What is broken with
// others is mended in any order. A stack without the thing is ErrNotHere.
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

// Mend takes back a cause on a machine; an empty cause or node stands for all.
func (s *Stack) Mend(node string, cause Cause) error {
	var errs []error
	for _, b := range slices.Backward(s.Broken()) {
		if (node == "" || b.Node == node) && (cause == "" || b.Cause == cause) {
			errs = append(errs, s.mend(&b))
		}
	}
	return errors.Join(errs...)
}

// Broken lists the causes in force, in the order in which they came.
func (s *Stack) Broken() []Broken {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Broken{}
	for _, b := range s.broken {
		list = append(list, *b)
	}
	return list
}

// mend takes back one cause. Those that came later and touch the same thing
// are taken back before it and brought about again after it.
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

// show lets the agent of a machine be seen as all that is broken makes it.
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
