package principal

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
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
	// saw every record, granting or not.
	saw map[types.UID]grants.Observation
	// origins are the names of the SessionAccesses of all records.
	origins map[types.UID]types.NamespacedName
	// revoking: some record waits for proof that an access is gone.
	revoking bool
	// name of the principal as the last record that grants spells it; empty without
	// records.
	name string
}

// claimsOf gathers what records grant a principal. A record with Deleting grants nothing,
// whatever its current grant is.
func claimsOf(key grants.PrincipalKey, records []grants.Record, now time.Time) claims {
	c := claims{
		saw: make(map[types.UID]grants.Observation, len(records)), ids: map[types.UID]string{},
		origins: make(map[types.UID]types.NamespacedName, len(records)),
	}
	var all []bounded
	for i := range records {
		record := &records[i]
		spelling, granted := grantedTo(record.Granted, key)
		if granted && !record.Deleting && !grants.Expired(record.Granted, now) {
			grant := grants.Policy(string(record.UID), record.Granted)
			grant.HeldOnly = record.HeldOnly
			all = append(all, bounded{grant, record.Granted.DocumentBounds, record})
			c.name = spelling
			c.ids[record.UID] = recordedID(record.Granted, key)
		} else if c.name == "" {
			c.name = spelling
		}
		c.revoking = c.revoking || record.IsRevoking()
		c.saw[record.UID] = grants.Observation{Holder: record.Holder(), Serial: record.Serial, Deleting: record.Deleting}
		c.origins[record.UID] = record.Origin
	}
	if c.name == "" {
		c.name = key.Name
	}
	c.grants, c.refused = standTogether(all)
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
		saw := c.saw[g.record.UID]
		saw.Included = !g.HeldOnly && !heldOnly[g.record.UID]
		c.saw[g.record.UID] = saw
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
