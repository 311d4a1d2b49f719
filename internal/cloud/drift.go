package cloud

import (
	"cmp"
	"slices"
	"time"
)

// DriftKind is a way in which IAM departs from what the mirror believed.
type DriftKind string

// The kinds of drift. Who caused it is not known; it was not this process.
const (
	// Edited: the default version is one that the mirror does not know.
	Edited DriftKind = "Edited"
	// DefaultMoved: another version that the mirror knows became the default.
	DefaultMoved DriftKind = "DefaultMoved"
	// Detached from a principal that it was attached to.
	Detached DriftKind = "Detached"
	// AttachedElsewhere: to a principal that it was not attached to.
	AttachedElsewhere DriftKind = "AttachedElsewhere"
	// Deleted: the policy is gone.
	Deleted DriftKind = "Deleted"
	// Appeared: a policy with the operator's path and form of name that the
	// mirror did not know.
	Appeared DriftKind = "Appeared"
)

// Drift is one departure of IAM from what the mirror believed.
type Drift struct {
	Kind DriftKind
	// Policy by name.
	Policy string
	// Principal of Detached and AttachedElsewhere, else its zero value.
	Principal Principal
}

// RefreshReport is what a Refresh found.
type RefreshReport struct {
	// First: the mirror was empty before; nothing is reported as drift.
	First bool
	// Begun is when the read began.
	Begun time.Time
	// Pages is the number of calls it took.
	Pages int
	// Drifts of the operator's policies, sorted by policy, kind and principal.
	Drifts []Drift
	// Resolved are the names, sorted, of the policies that were in doubt before
	// and no longer are.
	Resolved []string
	// Principals that appeared, vanished, or changed in groups, boundary or
	// attachments of other policies; sorted.
	Principals []Principal
	// Users, Groups and Roles are the numbers of principals.
	Users, Groups, Roles int
	// Policies is the number of the operator's policies, AllPolicies that of
	// all customer managed policies.
	Policies, AllPolicies int
}

// Drifted counts the drifts by kind.
func (r RefreshReport) Drifted() map[DriftKind]int {
	counts := map[DriftKind]int{}
	for _, d := range r.Drifts {
		counts[d.Kind]++
	}
	return counts
}

// findings gathers what a read found on one policy.
type findings struct{ drifts []Drift }

func (f *findings) existence(name string, before, after Presence) {
	switch {
	case before == Present && after == Absent:
		f.drifts = append(f.drifts, Drift{Kind: Deleted, Policy: name})
	case before == Absent && after == Present:
		f.drifts = append(f.drifts, Drift{Kind: Appeared, Policy: name})
	}
}

func (f *findings) content(p *policy, seen *observed) {
	if p.document == "" || p.document == seen.document {
		return
	}
	kind := Edited
	if slices.Contains(p.versions, seen.defaultVersion) {
		kind = DefaultMoved
	}
	f.drifts = append(f.drifts, Drift{Kind: kind, Policy: p.name})
}

func (f *findings) attachment(name string, principal Principal, before, after Presence) {
	switch {
	case before == Present && after == Absent:
		f.drifts = append(f.drifts, Drift{Kind: Detached, Policy: name, Principal: principal})
	case before == Absent && after == Present:
		f.drifts = append(f.drifts, Drift{Kind: AttachedElsewhere, Policy: name, Principal: principal})
	}
}

func compareDrifts(a, b Drift) int {
	return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Kind, b.Kind), comparePrincipals(a.Principal, b.Principal))
}

func comparePrincipals(a, b Principal) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}
