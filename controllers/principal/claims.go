package principal

import (
	"slices"
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
	var all []admission.Claim
	for i := range records {
		record := &records[i]
		spelling, granted := grantedTo(record.Granted, key)
		if granted && !record.Deleting && !grants.Expired(record.Granted, now) {
			all = append(all, admission.Claim{
				UID: record.UID, Grant: record.Granted, DeclaredAt: record.DeclaredAt, Origin: record.Origin,
				Undecided: record.HeldOnly || mode != v1alpha1.ModeObserve && len(record.Granted.Ungranted) > 0,
			})
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
	c.refused = map[types.UID]problem{}
	for _, verdict := range admission.Settle(all) {
		c.take(&verdict)
	}
	return c
}

// take notes what came of a grant. The policies are compiled in full from those that are
// decided on; one that an older one keeps out is among them.
func (c *claims) take(v *admission.Verdict) {
	observed := c.observed[v.UID]
	observed.Included = !v.Undecided
	c.observed[v.UID] = observed
	if v.Refusal != "" {
		c.refused[v.UID] = problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonGuardrailViolated, v.Refusal}
		return
	}
	grant := grants.Policy(string(v.UID), v.Grant)
	grant.HeldOnly = v.Undecided
	c.grants = append(c.grants, grant)
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
