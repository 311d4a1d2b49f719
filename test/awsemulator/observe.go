package awsemulator

import (
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

// Change is a change of an account.
type Change struct {
	// Time is the emulator's.
	Time      time.Time
	AccountID string
	// Region is empty for IAM, which has none.
	Region string
	// Service is iam or ssm. Machines count as ssm's.
	Service string
	// IAM is the state that a change of IAM has made. It stays as it is, so an
	// observer may keep it and ask MayIn at leisure.
	IAM *iam.State
}

// Observe calls f after each change, one at a time within an account and
// service. f must not call an operation of the emulator that changes
// anything, and delays the change while it runs.
func (s *Server) Observe(f func(Change)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observers = append(s.observers, f)
}

func (s *Server) changed(c Change) {
	s.mu.RLock()
	observers := s.observers
	s.mu.RUnlock()
	for _, f := range observers {
		f(c)
	}
}
