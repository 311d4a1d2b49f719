package queue

import (
	"github.com/ssm-access-operator/ssm-access-operator/internal/fair"
)

// Workers is how many items of a queue are worked on at once, in all accounts
// together. An idle worker costs some kilobytes. Where each account may keep
// Limits.Account workers, Workers/(3*Limits.Account) accounts that do not answer
// delay no other; in practice many more, because few keep all that they may.
const Workers = 192

// ordinaryWorkers is how many of them may be busy with anything but revocations.
const ordinaryWorkers = Workers * 2 / 3

// Limits bound how many workers an account keeps at once for each kind of work:
// revocations, grants and resyncs, and lookups. So neither a call without an
// answer nor a crowd of one kind keeps a revocation waiting.
type Limits struct {
	// Account is for all tenants of an account together.
	Account int
	// Tenant is for one tenant of an account. It is less than Account, so that a
	// tenant that comes later finds a worker free.
	Tenant int
}

// A class of package fair is the negative of a priority: it serves the lowest
// first.
func classOf(priority int) int { return -priority }
func priorityOf(class int) int { return -class }

// usage counts the workers that are busy. The zero map is not usable.
type usage map[share]int

// share is an account's or a tenant's part in the workers of a kind.
type share struct {
	kind            kind
	account, tenant string
	all             bool // of all tenants
	everywhere      bool // of all accounts, and of all kinds but revocations
}

// ordinary is the share of all that is no revocation.
var ordinary = share{everywhere: true}

func shares(turn fair.Turn) (account, tenant share) {
	k := kindOf(priorityOf(turn.Class))
	return share{kind: k, account: turn.Account, all: true}, share{kind: k, account: turn.Account, tenant: turn.Tenant}
}

func (u usage) allows(turn fair.Turn, l Limits) bool {
	account, tenant := shares(turn)
	return u[account] < l.Account && u[tenant] < l.Tenant && (isRevocation(turn) || u[ordinary] < ordinaryWorkers)
}

func (u usage) take(turn fair.Turn) {
	account, tenant := shares(turn)
	u[account]++
	u[tenant]++
	if !isRevocation(turn) {
		u[ordinary]++
	}
}

func (u usage) release(turn fair.Turn) {
	account, tenant := shares(turn)
	occupied := []share{account, tenant}
	if !isRevocation(turn) {
		occupied = append(occupied, ordinary)
	}
	for _, s := range occupied {
		if u[s]--; u[s] == 0 {
			delete(u, s)
		}
	}
}
