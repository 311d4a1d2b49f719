package iam

import (
	"cmp"
	"slices"
	"time"
)

// DriftKind is a way in which IAM departs from what the cache believed.
type DriftKind string

// The kinds of drift. Who caused it is not known; it was not this process.
const (
	// Edited: the default version is one that the cache does not know.
	Edited DriftKind = "Edited"
	// DefaultMoved: another version that the cache knows became the default.
	DefaultMoved DriftKind = "DefaultMoved"
	// Detached from a principal that it was attached to.
	Detached DriftKind = "Detached"
	// AttachedElsewhere: to a principal that it was not attached to.
	AttachedElsewhere DriftKind = "AttachedElsewhere"
	// Deleted: the policy is gone.
	Deleted DriftKind = "Deleted"
	// Appeared: a policy with the operator's path and form of name that the
	// cache did not know.
	Appeared DriftKind = "Appeared"
)

// Drift is one departure of IAM from what the cache believed.
type Drift struct {
	Kind DriftKind
	// Policy by name.
	Policy string
	// Principal of Detached and AttachedElsewhere, else its zero value.
	Principal Principal
}

// RefreshReport is what a Refresh found.
type RefreshReport struct {
	// First: the cache was empty before; nothing is reported as drift.
	First bool
	// Begun is when the read began.
	Begun time.Time
	// Pages is the number of calls it took.
	Pages int
	// Drifts of the operator's policies, sorted by policy, kind and principal.
	Drifts []Drift
	// Resolved are the names, sorted, of the policies about which something was unknown before
	// and no longer is.
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

// A write sometimes has to list what IAM holds, and overwrites or deletes it
// right after. What it found there is reported here: no later read can.

// compareDefault reports a default version that is not the known one, read at a
// time that counts.
func (w *writer) compareDefault(begun monotonicTime, current string) {
	known := w.known()
	if known.defaultVersion == "" || current == "" || known.defaultVersion == current || !known.content.admits(begun) {
		return
	}
	kind := Edited
	if slices.Contains(known.versions, current) {
		kind = DefaultMoved
	}
	w.account.cache.drift([]Drift{{Kind: kind, Policy: known.name}})
}

// compareAttached reports the principals that the policy is attached to and was
// not known to be, read at a time that counts.
func (w *writer) compareAttached(begun monotonicTime, attached []Principal) {
	known := w.known()
	if !known.others.admits(begun) {
		return
	}
	var drifts []Drift
	for _, principal := range attached {
		if known.attachmentOf(principal) == nil {
			drifts = append(drifts, Drift{Kind: AttachedElsewhere, Policy: known.name, Principal: principal})
		}
	}
	slices.SortFunc(drifts, compareDrifts)
	w.account.cache.drift(drifts)
}
