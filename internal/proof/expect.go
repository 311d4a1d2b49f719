package proof

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Facts are what decides about a declaration besides itself.
type Facts struct {
	// Allowed are the namespaces that may use the account.
	Allowed []string
	// Regions of the account.
	Regions []v1alpha1.Region
	// Users are how the names begin of those who may be granted anything.
	Users []string
	// Exist are the principals that there are, besides all permission sets.
	Exist []v1alpha1.Principal
}

// expect is the reason that Ready must have at rest.
func (f Facts) expect(namespace string, s *v1alpha1.SessionAccessSpec, at time.Time) string {
	switch {
	case s.AccountRef.Name != AccountName:
		return v1alpha1.ReasonAccountNotFound
	case !slices.Contains(f.Allowed, namespace):
		return v1alpha1.ReasonNamespaceNotAllowed
	case slices.ContainsFunc(s.Regions, func(r v1alpha1.Region) bool { return !slices.Contains(f.Regions, r) }):
		return v1alpha1.ReasonRegionNotAllowed
	case slices.ContainsFunc(s.Principals, f.forbids):
		return v1alpha1.ReasonGuardrailViolated
	case slices.ContainsFunc(s.Targets, malformed):
		return v1alpha1.ReasonInvalidSpec
	case waits(s):
		return v1alpha1.ReasonReferenceNotResolved
	case s.NotAfter != nil && !at.Before(s.NotAfter.Time):
		return v1alpha1.ReasonExpired
	case slices.ContainsFunc(s.Principals, f.misses):
		return v1alpha1.ReasonPrincipalNotFound
	default:
		return v1alpha1.ReasonGranted
	}
}

func (f Facts) forbids(p v1alpha1.Principal) bool {
	return p.Kind == v1alpha1.PrincipalUser && !slices.ContainsFunc(f.Users, func(begin string) bool { return strings.HasPrefix(strings.ToLower(p.Name), begin) })
}

func (f Facts) misses(p v1alpha1.Principal) bool {
	return p.Kind != v1alpha1.PrincipalPermissionSet && !slices.ContainsFunc(f.Exist, func(e v1alpha1.Principal) bool { return e.Kind == p.Kind && strings.EqualFold(e.Name, p.Name) })
}

// tagKey is what AWS takes as the key of a tag.
var tagKey = regexp.MustCompile(`^[\p{L}\p{M}\p{Z}\p{N}_.:/=+@-]+$`)

// unwritable says whether a policy document cannot hold a character.
func unwritable(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r", r) }

// malformed says whether no node can have the tags of a target.
func malformed(t v1alpha1.Target) bool {
	for key, value := range t.Tags {
		if !tagKey.MatchString(key) || strings.ContainsFunc(value, unwritable) {
			return true
		}
	}
	return false
}

// waits says whether a spec names an object that there is none of.
func waits(s *v1alpha1.SessionAccessSpec) bool {
	return slices.ContainsFunc(s.Targets, func(t v1alpha1.Target) bool { return t.ActivationRef != nil }) ||
		slices.ContainsFunc(s.Documents, func(d v1alpha1.DocumentReference) bool { return d.Ref != nil })
}

// declaration is what a SessionAccess declares, and what it may have declared
// when the operator last looked.
type declaration struct {
	key  client.ObjectKey
	spec v1alpha1.SessionAccessSpec
	// bases are the specs that could be granted in full: one of them is what an
	// object that waits for something keeps.
	bases []v1alpha1.SessionAccessSpec
	// rested: it has been in force at rest.
	rested bool
}

// grants are what a declaration comes to. There are several where nobody can
// know which of the earlier specs the operator has seen.
func (f Facts) grants(d *declaration, at time.Time) []Grant {
	switch f.expect(d.key.Namespace, &d.spec, at) {
	case v1alpha1.ReasonGranted, v1alpha1.ReasonPrincipalNotFound, v1alpha1.ReasonExpired:
		return []Grant{{Specs: []v1alpha1.SessionAccessSpec{d.spec}, Certain: true, Rested: d.rested}}
	case v1alpha1.ReasonReferenceNotResolved:
		var kept []Grant
		for _, base := range d.bases {
			kept = append(kept, Grant{Specs: []v1alpha1.SessionAccessSpec{base, d.spec}})
		}
		return kept
	default:
		return nil
	}
}

// declare takes in another spec of the same object.
func (f Facts) declare(d *declaration, spec v1alpha1.SessionAccessSpec) {
	d.spec, d.rested = spec, false
	if f.full(d) {
		d.bases = append(d.bases, spec)
	}
}

// full says whether a spec can be granted as it is.
func (f Facts) full(d *declaration) bool {
	grants := f.grants(d, time.Time{})
	return len(grants) > 0 && grants[0].Certain
}

// rest forgets what was declared before.
func (f Facts) rest(d *declaration) {
	switch {
	case f.full(d):
		d.bases, d.rested = []v1alpha1.SessionAccessSpec{d.spec}, true
	case !waits(&d.spec) || len(f.grants(d, time.Time{})) == 0:
		d.bases = nil
	}
}
