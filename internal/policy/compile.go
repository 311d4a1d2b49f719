package policy

import (
	"errors"
	"time"
)

// Quotas bound what a principal's policies may be. Sources are GetAccountSummary
// and the mirror.
type Quotas struct {
	// PolicySize is the greatest size of one managed policy in characters
	// (PolicySizeQuota, by default 6,144).
	PolicySize int
	// Policies is how many policies of ours the principal may have: its
	// attachment quota less what others have attached. -1 means unknown.
	Policies int
}

// Plan is what a principal's policies shall be and how to get there.
type Plan struct {
	// Documents are the policies, index 0 being shard 1; "" means that this
	// shard shall not exist.
	Documents []string
	// Writes lead from what is held to Documents, to be made in this order. A
	// shard may occur twice. Empty when nothing differs.
	Writes []Write
	// Incomplete names the grants (by ID, sorted) that are neither expired nor
	// wholly contained in Documents. Empty unless there is an error.
	Incomplete []string
}

// Write is one change of one policy.
type Write struct {
	// Shard counts from 1.
	Shard int
	// Document is what the policy shall hold; "" means to delete it.
	Document string
	// Narrows says that something held goes: a revocation, or a move's last step.
	Narrows bool
	// Grows says that something comes which the shard did not hold.
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
	return Plan{}, errors.New("not implemented")
}

// Repack is Compile, and then drains the smallest shard into the free room of
// the others if all of it fits there. The writes grow before they shrink.
func Repack(acct Account, p Principal, grants []Grant, held []string, q Quotas, now time.Time) (Plan, error) {
	return Plan{}, errors.New("not implemented")
}
