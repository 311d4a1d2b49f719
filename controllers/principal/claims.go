package principal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// claims is the sum of the records that name a principal.
type claims struct {
	// grants that take effect now or later. Those of records that were written for
	// another object are HeldOnly, and so are those that clash with such a one.
	grants []policy.Grant
	// refused are those that conflict with an older one.
	refused map[types.UID]problem
	// ids are the unique ids that the principal had when it was granted, by record.
	ids map[types.UID]string
	// observed every record, granting or not.
	observed map[types.UID]grants.Observation
	// origins are the names of the SessionAccesses of all records.
	origins map[types.UID]types.NamespacedName
	// revoking: some record waits for proof that an access is gone.
	revoking bool
	// name of the principal as the last record that grants spells it; empty without
	// records.
	name string
}

// claimsOf gathers what records grant a principal. A record with Deleting grants nothing,
// whatever its current grant is. Under mode Enforce one that is ungranted in part is
// HeldOnly until it is recorded again.
func claimsOf(key grants.PrincipalKey, records []grants.Record, mode v1alpha1.AccountMode, now time.Time) claims {
	c := claims{
		observed: make(map[types.UID]grants.Observation, len(records)), ids: map[types.UID]string{},
		origins: make(map[types.UID]types.NamespacedName, len(records)),
	}
	var all []bounded
	for i := range records {
		record := &records[i]
		spelling, granted := grantedTo(record.Granted, key)
		if granted && !record.Deleting && !grants.Expired(record.Granted, now) {
			grant := grants.Policy(string(record.UID), record.Granted)
			grant.HeldOnly = record.HeldOnly || mode != v1alpha1.ModeObserve && len(record.Granted.Ungranted) > 0
			all = append(all, bounded{grant, record.Granted.DocumentBounds, record})
			c.name = spelling
			c.ids[record.UID] = recordedID(record.Granted, key)
		} else if c.name == "" {
			c.name = spelling
		}
		c.revoking = c.revoking || record.IsRevoking()
		c.observed[record.UID] = grants.Observation{Holder: record.Holder(), Serial: record.Serial, Deleting: record.Deleting}
		c.origins[record.UID] = record.Origin
	}
	if c.name == "" {
		c.name = key.Name
	}
	c.grants, c.refused = resolveConflicts(all)
	c.include(all)
	return c
}

// include notes which grants the policies are compiled from in full, those that an
// older one keeps out among them.
func (c *claims) include(all []bounded) {
	heldOnly := map[types.UID]bool{}
	for _, g := range c.grants {
		heldOnly[types.UID(g.ID)] = g.HeldOnly
	}
	for _, g := range all {
		observed := c.observed[g.record.UID]
		observed.Included = !g.HeldOnly && !heldOnly[g.record.UID]
		c.observed[g.record.UID] = observed
	}
}

// dropImpossible drops the grants that cannot take effect at all, so that no notice
// describes their effect. A grant that merely does not fit may take effect in part.
func (c *claims) dropImpossible(problems map[types.UID]problem) {
	c.grants = slices.DeleteFunc(c.grants, func(g policy.Grant) bool {
		reason := problems[types.UID(g.ID)].reason
		return reason == v1alpha1.ReasonInvalidSpec || reason == v1alpha1.ReasonPrincipalNotFound || reason == v1alpha1.ReasonPrincipalRecreated
	})
}

// grantedTo reports whether a grant names the principal, and how it spells it.
func grantedTo(grant *v1alpha1.ResolvedGrant, key grants.PrincipalKey) (spelling string, ok bool) {
	if grant == nil {
		return "", false
	}
	for _, p := range grant.Principals {
		if grants.PrincipalKeyOf(grant.AccountID, p) == key {
			return p.Name, true
		}
	}
	return "", false
}

// bounded is a grant with what decides whether it conflicts with others.
type bounded struct {
	policy.Grant
	bounds []v1alpha1.DocumentBound
	// record is the one that has it, for its age and its name.
	record *grants.Record
}

// resolveConflicts leaves out grants that would let a node be used with a document
// that the guardrails of the node's namespace forbid: of each such pair the newer one.
// It compares what the objects say and not every node. So it may refuse a pair that
// another grant would make harmless, and its time is bounded.
//
// A grant that is HeldOnly supersedes no other: whether it is allowed is not decided
// yet. A newer grant that conflicts with it waits for that: it is HeldOnly, too.
func resolveConflicts(all []bounded) (kept []policy.Grant, refused map[types.UID]problem) {
	refused = map[types.UID]problem{}
	slices.SortFunc(all, func(a, b bounded) int { return older(a.record, b.record) })
	var standing []bounded
	for _, candidate := range all {
		if message := clash(standing, candidate, false); message != "" {
			refused[candidate.record.UID] = problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonGuardrailViolated, message}
			continue
		}
		candidate.HeldOnly = candidate.HeldOnly || clash(standing, candidate, true) != ""
		standing = append(standing, candidate)
		kept = append(kept, candidate.Grant)
	}
	return kept, refused
}

// clash returns the message for the first grant that conflicts with a newer one, among
// those that are HeldOnly or among the others.
func clash(standing []bounded, candidate bounded, heldOnly bool) string {
	for _, other := range standing {
		if other.HeldOnly != heldOnly {
			continue
		}
		if message := breaks(other, candidate); message != "" {
			return message
		}
		if message := breaks(candidate, other); message != "" {
			return message
		}
	}
	return ""
}

// older orders by age, and by name among those of one second.
func older(a, b *grants.Record) int {
	return cmp.Or(
		a.DeclaredAt.Compare(b.DeclaredAt),
		strings.Compare(a.Origin.Namespace, b.Origin.Namespace),
		strings.Compare(a.Origin.Name, b.Origin.Name),
	)
}

// breaks returns the message for two grants where the nodes of one must not be used
// with a document of the other.
func breaks(nodes, documents bounded) string {
	if len(nodes.bounds) == 0 || !share(nodes.Regions, documents.Regions) {
		return ""
	}
	for _, bound := range nodes.bounds {
		for _, d := range documents.Documents {
			if !admission.MatchesDocument(bound.Documents, d.Name) {
				return fmt.Sprintf("Together, SessionAccess %s and %s would let the nodes of the former be used with document %s, which guardrail %q forbids there; IAM cannot tie the two. Of the two the newer is refused: give it other principals, or documents that the guardrail allows.",
					nodes.record.Origin, documents.record.Origin, d.Name, bound.Guardrail)
			}
		}
	}
	return ""
}

func share(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// declarations remember when this process first saw the present record of each
// object. The zero value is empty.
type declarations struct {
	mu   sync.Mutex
	seen map[types.UID]declaration
}

type declaration struct {
	serial int64
	at     time.Time
}

// note remembers the record of an object that is seen now.
func (d *declarations) note(access *v1alpha1.SessionAccess, now time.Time) {
	record := access.Status.Applied
	if record == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, ok := d.seen[access.UID]; ok && known.serial == record.Serial {
		return
	}
	if d.seen == nil {
		d.seen = map[types.UID]declaration{}
	}
	d.seen[access.UID] = declaration{record.Serial, now}
}

func (d *declarations) forget(uid types.UID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.seen, uid)
}

// before reports whether an object's record of a serial was seen before a time. One
// that was never seen was not.
func (d *declarations) before(uid types.UID, serial int64, t time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	known, ok := d.seen[uid]
	return ok && known.serial == serial && known.at.Before(t)
}
