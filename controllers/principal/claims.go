package principal

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// claims is the sum of the SessionAccesses that name a principal.
type claims struct {
	// grants that take effect now or later. Those of records that were written for
	// another object are HeldOnly, and so are those that clash with such a one.
	grants []policy.Grant
	// refused are those that conflict with an older one.
	refused map[types.UID]problem
	// ids are the unique ids that the principal had when it was granted, by object.
	ids map[types.UID]string
	// saw every object, granting or not.
	saw map[types.UID]grants.Observation
	// revoking: some object waits for proof that an access is gone.
	revoking bool
	// name of the principal as the oldest object spells it; empty without objects.
	name string
}

// claimsOf gathers what the records of the objects grant a principal. An object
// that is being deleted grants nothing, whatever its record says.
func claimsOf(key grants.PrincipalKey, accesses []v1alpha1.SessionAccess, now time.Time) claims {
	c := claims{saw: make(map[types.UID]grants.Observation, len(accesses)), ids: map[types.UID]string{}}
	var all []bounded
	for i := range accesses {
		access := &accesses[i]
		record := access.Status.Applied
		if record == nil {
			continue
		}
		sighting := grants.Observation{
			Object:   types.NamespacedName{Namespace: access.Namespace, Name: access.Name},
			Serial:   record.Serial,
			Deleting: !access.DeletionTimestamp.IsZero(),
		}
		spelling, granted := grantedTo(record.Granted, key)
		if granted && !sighting.Deleting && !grants.Expired(record.Granted, now) {
			grant := grants.Policy(string(access.UID), record.Granted)
			grant.HeldOnly = !reconcile.Own(record.UID, access)
			all = append(all, bounded{grant, record.Granted.DocumentBounds, access})
			c.name = spelling
			c.ids[access.UID] = recordedID(record.Granted, key)
		} else if c.name == "" {
			c.name = spelling
		}
		c.revoking = c.revoking || sighting.Deleting || len(record.Revoking) > 0
		c.saw[access.UID] = sighting
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
		saw := c.saw[g.access.UID]
		saw.Included = !g.HeldOnly && !heldOnly[g.access.UID]
		c.saw[g.access.UID] = saw
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
