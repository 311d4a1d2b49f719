package policy

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"
)

// Quotas bound what a principal's policies may be. Sources are GetAccountSummary
// and the IAM cache.
type Quotas struct {
	// PolicySize is the greatest size of one managed policy in characters
	// (PolicySizeQuota, by default 6,144).
	PolicySize int
	// Policies is how many of the operator's policies the principal may have:
	// its attachment quota minus the attachments of others. -1 means unknown:
	// then Compile rejects only what no account could have.
	Policies int
}

// mostPolicies is used for an unknown number of policies. AWS attaches at most
// 20 to a principal; the bound keeps absurd grants from costing memory and time.
const mostPolicies = 100

// Plan is the desired policies of a principal and the writes that lead there.
type Plan struct {
	// Documents are the desired policies, index 0 being shard 1; "" means that
	// this shard must not exist.
	Documents []string
	// Writes lead from what is held to Documents, to be made in this order. A
	// shard may occur twice. Empty when nothing differs.
	Writes []Write
	// Cuts are, by shard, the documents that hold what the shard holds and is
	// wanted, and nothing else: less than is held, and never more. Only shards that
	// hold what is not wanted have one; "" is nothing at all.
	Cuts map[int]string
	// Incomplete names the grants (by ID, sorted) that are neither expired nor
	// wholly contained in Documents. Empty unless there is an error.
	Incomplete []string
}

// Write is one change of one policy.
type Write struct {
	// Shard counts from 1.
	Shard int
	// Document is the desired document; "" means to delete the policy.
	Document string
	// Narrows means that something held is removed: a revocation, or a move's
	// last step.
	Narrows bool
	// Grows means that something is added which the shard did not hold.
	Grows bool
}

// Compile unites the grants of a principal into policy documents.
//
// held are the documents of shards 1..n as IAM holds them, "" where there is
// none or it is not known. Whatever of them is still wanted stays in its shard,
// so a narrowing writes only shards that shrink. Grants over at now are left out.
//
// Errors are joined; each is an *[InvalidError] or a *[TooLargeError]. The plan
// is then still safe to carry out and should be: invalid grants are left out of
// it; when the rest does not fit, the plan is the widest that only narrows what
// is held. An invalid account, principal or quota gives an empty plan.
func Compile(acct Account, p Principal, grants []Grant, held []string, q Quotas, now time.Time) (Plan, error) {
	if err := checkFrame(acct, p, q); err != nil {
		return Plan{}, err
	}
	live, bad := admit(acct, grants, now)
	all := wanted(acct, p, live, held)
	c := &compilation{packer: packer{all: all, limit: q.PolicySize}, policies: q.Policies}
	if c.policies < 0 {
		c.policies = mostPolicies
	}
	if c.unchanged(held) {
		return Plan{Documents: slices.Clone(held), Incomplete: failed(bad)}, joined(bad)
	}
	for _, document := range held {
		c.held = append(c.held, parseHeld(all, document))
	}
	plan, tooLarge := c.plan()
	if tooLarge == nil {
		plan.Incomplete = failed(bad)
		return plan, joined(bad)
	}
	layout := c.kept(math.MaxInt)
	plan, _ = c.moves(layout) // nothing moves, so nothing can be in the way
	homes := c.homes(layout)
	missing := func(atom int) bool { return homes[atom] == nowhere }
	plan.Incomplete = sortedIDs(append(failed(bad), having(acct, p, live, all, missing)...))
	tooLarge.Principal = p
	tooLarge.Grants = having(acct, p, live, all, missing)
	if tooLarge.Indivisible {
		empty := newShard(all)
		tooLarge.Grants = having(acct, p, live, all, func(atom int) bool { return empty.size+empty.cost(atom) > c.limit })
	}
	return plan, errors.Join(joined(bad), tooLarge)
}

// admit returns the grants that are not over, and what is wrong with those of them
// that cannot be rendered, ordered by ID.
func admit(acct Account, grants []Grant, now time.Time) ([]*Grant, []*InvalidError) {
	live := make([]*Grant, 0, len(grants))
	var bad []*InvalidError
	for i := range grants {
		g := &grants[i]
		if g.Expired(now) {
			continue
		}
		if err := checkGrant(acct, g); err != nil {
			bad = append(bad, err)
			continue
		}
		live = append(live, g)
	}
	slices.SortStableFunc(bad, func(a, b *InvalidError) int { return cmp.Compare(a.Grant, b.Grant) })
	return live, bad
}

// having returns the IDs of the grants that have an atom for which the test is
// true.
func having(acct Account, p Principal, grants []*Grant, all *atoms, test func(atom int) bool) []string {
	var ids []string
	for _, g := range grants {
		own := collect(acct, p, []*Grant{g})
		for atom := range own.len() {
			group := &own.groups[own.groupOf[atom]]
			found := all.find(group.kind, group.condition, own.element(atom))
			if found >= 0 && test(found) { // One that is not wanted is not held of a grant that is HeldOnly.
				ids = append(ids, g.ID)
				break
			}
		}
	}
	return sortedIDs(ids)
}

func failed(bad []*InvalidError) []string {
	var list []string
	for _, err := range bad {
		list = append(list, err.Grant)
	}
	return sortedIDs(list)
}

func sortedIDs(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func joined(bad []*InvalidError) error {
	list := make([]error, 0, len(bad))
	for _, err := range bad {
		list = append(list, err)
	}
	return errors.Join(list...)
}
