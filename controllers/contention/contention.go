// Package contention holds a Tracker of how often this operator has to repair its
// policies. Two writers that undo each other's work would do so for ever: the other may be
// a tool, or a copy of this cluster with the same owner id.
package contention

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// Repairs within Period make a policy contended: it is not widened until fewer
	// fall into the last Period.
	Repairs = 3
	// Period is how long a repair counts.
	Period = time.Hour
	// maxNamed bounds the policies in a message.
	maxNamed = 3
)

// Tracker counts repairs by account and policy. It forgets them with the process:
// a new one repairs again. Safe for concurrent use.
type Tracker struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	repairs map[string]map[string][]time.Time
}

// New returns a tracker that has counted nothing.
func New(clk clock.PassiveClock) *Tracker {
	return &Tracker{clock: clk, repairs: map[string]map[string][]time.Time{}}
}

// Repair counts one repair of each policy named, however often it is named, and
// returns those that became contended with it, sorted.
func (t *Tracker) Repair(accountID string, policies []string) (contended []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	if t.repairs[accountID] == nil {
		t.repairs[accountID] = map[string][]time.Time{}
	}
	of := t.repairs[accountID]
	named := map[string]bool{}
	for _, policy := range policies {
		named[strings.ToLower(policy)] = true
	}
	for _, policy := range slices.Sorted(maps.Keys(named)) {
		of[policy] = append(recent(of[policy], now), now)
		if len(of[policy]) == Repairs {
			contended = append(contended, policy)
		}
		// More than this many say nothing more.
		of[policy] = of[policy][max(0, len(of[policy])-Repairs):]
	}
	return contended
}

// In lists the contended policies of an account, sorted.
func (t *Tracker) In(accountID string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	var contended []string
	for policy, times := range t.repairs[accountID] {
		switch times = recent(times, now); {
		case len(times) >= Repairs:
			contended = append(contended, policy)
		case len(times) == 0:
			delete(t.repairs[accountID], policy)
		}
	}
	slices.Sort(contended)
	return contended
}

// OfPrefix lists the contended policies of an account whose names begin so.
func (t *Tracker) OfPrefix(accountID, prefix string) []string {
	return slices.DeleteFunc(t.In(accountID), func(policy string) bool { return !strings.HasPrefix(policy, strings.ToLower(prefix)) })
}

func recent(times []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(times), func(at time.Time) bool { return now.Sub(at) >= Period })
}

// Message says that policies are contended and what to do; "" for none.
func Message(policies []string) string {
	if len(policies) == 0 {
		return ""
	}
	named := strings.Join(policies[:min(len(policies), maxNamed)], ", ")
	if more := len(policies) - maxNamed; more > 0 {
		named = fmt.Sprintf("%s and %d more", named, more)
	}
	return fmt.Sprintf("Something else changed these policies %d times within an hour, each time after the operator had put them back: %s. The operator only narrows them now. Find in AWS CloudTrail who writes to them and stop it; a copy of this cluster has the same owner id, so start it with another --owner-id. The operator widens them again when an hour has passed.",
		Repairs, named)
}
