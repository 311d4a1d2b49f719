package queue

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
)

// This file has all that puts revocations before grants:
//
//	priority                       workers of an account     calls to AWS
//
//	PriorityRevocation         ┐                             awsclient.Revocation
//	PriorityRetriedRevocation  ┘  Limits for revocations     awsclient.RetriedRevocation
//	                           ─────────── barrier ─────────────────────────────────
//	PriorityGrant              ┐  Limits for these           awsclient.Grant
//	PriorityResync             ┘                             awsclient.Grant
//	PriorityLookup                Limits for lookups         awsclient.Lookup for the read, then Grant
//
// The queue serves the highest priority first, and every kind of work has workers of its
// own, so that a grant that waits for AWS takes none from a revocation. The limiter of the
// account admits the calls in the same order. The barrier is for an account that was just
// verified, because a new process has a whole burst of calls to spend, and a busy machine
// may let a grant's worker run before a revocation's:
//
//	Hold(account)                 before anybody sees that the account is verified
//	Expect(account, revocations)  when they are queued: the grants of the account wait
//	Done(revocation) …            until each of them was tried once, with any result
//
// A queue serves an item to one worker at a time, so a revocation and a grant of the same
// item never run at once. An item that is to be revoked is worked on as a revocation, even at
// the turn of another tenant's grant. A revocation that failed keeps its backoff, whatever else
// is asked of the item.

// Priorities of the work queues, higher first. Deleting and narrowing overtake
// new grants, and new grants overtake looking again. A revocation that was tried
// before never overtakes a new one. Reading a single principal comes last.
const (
	PriorityRevocation        = 100
	PriorityRetriedRevocation = 50
	PriorityGrant             = 0
	PriorityResync            = -100
	PriorityLookup            = -200
)

// kind of work that has workers of its own.
type kind int

const (
	revocation kind = iota
	other
	lookup
)

func kindOf(priority int) kind {
	switch {
	case priority >= PriorityRetriedRevocation:
		return revocation
	case priority <= PriorityLookup:
		return lookup
	default:
		return other
	}
}

// IsRevocation reports whether work of a priority ends access.
func IsRevocation(priority int) bool { return kindOf(priority) == revocation }

// CallPriority is the priority of the calls to AWS that converge an item which is served at
// a priority.
func CallPriority(priority int) awsclient.Priority {
	switch {
	case priority >= PriorityRevocation:
		return awsclient.Revocation
	case IsRevocation(priority):
		return awsclient.RetriedRevocation
	default:
		return awsclient.Grant
	}
}

// barrier has the grants of an account wait. The zero value holds nothing.
type barrier[T comparable] struct {
	// unknown are the accounts whose revocations are not queued yet.
	unknown map[string]bool
	// due are the revocations that are still to be tried, by account, and whether a worker
	// has been trying each since it is due.
	due map[string]map[T]bool
}

func (b *barrier[T]) holds(account string) bool { return b.unknown[account] || len(b.due[account]) > 0 }

func (b *barrier[T]) hold(account string) {
	if b.unknown == nil {
		b.unknown = map[string]bool{}
	}
	b.unknown[account] = true
}

// expect replaces what was due: a revocation that is gone would never be tried.
func (b *barrier[T]) expect(account string, revocations []T) {
	delete(b.unknown, account)
	delete(b.due, account)
	for _, item := range revocations {
		if b.due == nil {
			b.due = map[string]map[T]bool{}
		}
		if b.due[account] == nil {
			b.due[account] = map[T]bool{}
		}
		b.due[account][item] = false
	}
}

// begin notes that a worker is served a revocation.
func (b *barrier[T]) begin(account string, item T) {
	if _, due := b.due[account][item]; due {
		b.due[account][item] = true
	}
}

// end notes that a worker is done with an item. It reports whether that opens the account.
func (b *barrier[T]) end(account string, item T) (opens bool) {
	if !b.due[account][item] {
		return false
	}
	if delete(b.due[account], item); len(b.due[account]) == 0 {
		delete(b.due, account)
	}
	return !b.holds(account)
}

// Hold has the grants of an account wait until Expect is called for it.
func (q *Queue[T]) Hold(account string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.barrier.hold(account)
}

// Expect has the grants of an account wait until each of these revocations was tried once.
// The caller adds them. Items of other accounts are left out: they have their own turn.
func (q *Queue[T]) Expect(account string, revocations ...T) {
	here := slices.DeleteFunc(slices.Clone(revocations), func(item T) bool { return q.options.Account(item) != account })
	q.mu.Lock()
	defer q.mu.Unlock()
	q.barrier.expect(account, here)
	q.workers.Broadcast()
}

// Holds reports whether the grants of an account wait. A worker that was served an item
// before the account was held asks for it.
func (q *Queue[T]) Holds(account string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.barrier.holds(account)
}
