package invariants

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Facts are what decides about a declaration, apart from the declaration
// itself.
type Facts struct {
	// Allowed are the namespaces that may use the account.
	Allowed []string
	// Regions of the account.
	Regions []v1alpha1.Region
	// Users are how the names begin of those who may be granted anything.
	Users []string
	// Exist are the principals that exist at first, apart from all permission sets.
	Exist []v1alpha1.Principal
	// IDs are those that exist or have existed.
	IDs *identities
	// Grant: a principal created again under a name gets what the earlier one
	// had.
	Grant bool
	// Observe: the account is in mode Observe, so nothing is written.
	Observe bool
	// Rules are the guardrails of the account.
	Rules []v1alpha1.Guardrail
	// Things are what references may name.
	Things map[string]*thing
}

// expect is the reason that Ready must have at rest.
func (f Facts) expect(d *declaration, at time.Time) string {
	s, absent, doubtful := f.resolve(d)
	namespace, raw := d.key.Namespace, &d.spec
	switch {
	case s.AccountRef.Name != AccountName:
		return v1alpha1.ReasonAccountNotFound
	case !slices.Contains(f.Allowed, namespace):
		return v1alpha1.ReasonNamespaceNotAllowed
	case slices.ContainsFunc(s.Regions, func(r v1alpha1.Region) bool { return !slices.Contains(f.Regions, r) }):
		return v1alpha1.ReasonRegionNotAllowed
	case slices.ContainsFunc(raw.Principals, f.forbids), f.violates(namespace, raw):
		return v1alpha1.ReasonGuardrailViolated
	case slices.ContainsFunc(s.Targets, malformed):
		return v1alpha1.ReasonInvalidSpec
	case absent && !doubtful:
		return v1alpha1.ReasonReferenceNotResolved
	case doubtful, oversize(raw):
		return undecided
	case s.NotAfter != nil && !at.Before(s.NotAfter.Time):
		return v1alpha1.ReasonExpired
	case f.fates(raw, d.bond, unsure):
		return undecided
	case f.fates(raw, d.bond, recreated):
		return v1alpha1.ReasonPrincipalRecreated
	case f.fates(raw, d.bond, missing):
		return v1alpha1.ReasonPrincipalNotFound
	default:
		return v1alpha1.ReasonGranted
	}
}

func (f Facts) forbids(p v1alpha1.Principal) bool {
	return p.Kind == v1alpha1.PrincipalUser && !slices.ContainsFunc(f.Users, func(begin string) bool { return strings.HasPrefix(strings.ToLower(p.Name), begin) })
}

// What surely fits into IAM's quotas for one principal.
const fittingIDs, fittingTags = 400, 3000

// oversize reports whether a spec is perhaps too large for IAM's quotas.
func oversize(s *v1alpha1.SessionAccessSpec) bool {
	ids, tags := 0, 0
	for _, t := range s.Targets {
		ids += len(t.InstanceIDs)
		for key, value := range t.Tags {
			tags += len(key) + len(value)
		}
	}
	return ids > fittingIDs || tags > fittingTags
}

// tagKey is what AWS takes as the key of a tag.
var tagKey = regexp.MustCompile(`^[\p{L}\p{M}\p{Z}\p{N}_.:/=+@-]+$`)

// unwritable reports whether a policy document cannot hold a character.
func unwritable(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r", r) }

// malformed reports whether no node can have the tags of a target.
func malformed(t v1alpha1.Target) bool {
	for key, value := range t.Tags {
		if strings.HasPrefix(key, excludedMark) {
			continue
		}
		if !tagKey.MatchString(key) || strings.ContainsFunc(value, unwritable) {
			return true
		}
	}
	return false
}

// declaration is what a SessionAccess declares, and what it may have declared
// when the operator last looked.
type declaration struct {
	key  client.ObjectKey
	spec v1alpha1.SessionAccessSpec
	// bases are the specs, as they were resolved, that could be granted in full: one of them is what an
	// object that waits for something keeps.
	bases []v1alpha1.SessionAccessSpec
	// bond is who its principals are.
	bond bond
	// rested: it has been in effect at rest.
	rested bool
}

// grants are what a declaration results in. There are several where it is not
// known which of the earlier specs the operator has seen.
func (f Facts) grants(d *declaration, at time.Time) []Grant {
	resolved, _, _ := f.resolve(d)
	switch reason := f.expect(d, at); reason {
	case v1alpha1.ReasonGranted, v1alpha1.ReasonPrincipalNotFound, v1alpha1.ReasonPrincipalRecreated, v1alpha1.ReasonExpired:
		return []Grant{{Specs: []v1alpha1.SessionAccessSpec{*resolved}, Certain: true, Rested: d.rested}}
	case v1alpha1.ReasonReferenceNotResolved, undecided:
		var kept []Grant
		if reason == undecided {
			kept = append(kept, Grant{Specs: []v1alpha1.SessionAccessSpec{*resolved}})
		}
		for _, base := range d.bases {
			kept = append(kept, Grant{Specs: []v1alpha1.SessionAccessSpec{base, *resolved}})
		}
		return kept
	default:
		return nil
	}
}

// declare takes in another spec of the same object.
func (f Facts) declare(d *declaration, spec v1alpha1.SessionAccessSpec) {
	d.bond.drop(d.spec.Principals, spec.Principals)
	d.spec, d.rested = spec, false
	f.reconsider(d)
}

// full reports whether a spec can be granted as it is.
func (f Facts) full(d *declaration) bool {
	grants := f.grants(d, time.Time{})
	return len(grants) > 0 && grants[0].Certain
}

// rest forgets what was declared before, at a time.
func (f Facts) rest(d *declaration, at time.Time) {
	f.bind(d, f.full(d) && f.expect(d, at) != v1alpha1.ReasonExpired)
	switch {
	case f.full(d):
		resolved, _, _ := f.resolve(d)
		d.bases, d.rested = []v1alpha1.SessionAccessSpec{*resolved}, true
	case len(f.grants(d, time.Time{})) == 0:
		d.bases, d.bond = nil, newBond()
	}
}
