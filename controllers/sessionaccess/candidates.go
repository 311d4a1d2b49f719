package sessionaccess

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/index"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/outcome"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/registry"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// candidate is an open session whose owner lost something.
type candidate struct {
	cloud.Session
	facts policy.Session
	owner policy.Principal
	// nodeGone: AWS does not know the node, or no longer.
	nodeGone bool
}

// owned picks the sessions whose owner is, or belongs to, a principal of the
// lost grants.
func (v revocation) owned(account registry.Entry, region string, open []cloud.Session, lost []held) []candidate {
	var candidates []candidate
	for _, s := range open {
		owner, ok := policy.OwnerOf(s.Owner)
		if !ok || owner.Account.ID != account.AccountID {
			continue
		}
		c := candidate{Session: s, owner: owner.Principal, facts: policy.Session{Owner: s.Owner, Target: s.Target, Region: region, Document: s.Document}}
		if owner.Principal.Kind == policy.User {
			c.facts.OwnerGroups = account.Cloud.Mirror().GroupsOf(owner.Principal.Name)
		}
		if slices.ContainsFunc(lost, func(h held) bool { return slices.ContainsFunc(h.principals, c.acts) }) {
			candidates = append(candidates, c)
		}
	}
	return candidates
}

// acts says whether the session's owner acts as a principal: is it, or is a
// member of it.
func (c candidate) acts(p policy.Principal) bool {
	return slices.ContainsFunc(c.principals(), func(as policy.Principal) bool { return policy.Key(as) == policy.Key(p) })
}

func (c candidate) principals() []policy.Principal {
	as := []policy.Principal{c.owner}
	for _, group := range c.facts.OwnerGroups {
		as = append(as, policy.Principal{Kind: policy.Group, Name: group})
	}
	return as
}

// tag reads the tags of the candidates' nodes: grants may be bound to them.
func (v revocation) tag(ctx context.Context, account registry.Entry, region string, candidates []candidate) error {
	var ids []string
	for _, c := range candidates {
		ids = append(ids, c.Target)
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil
	}
	tags, err := account.Cloud.NodeTags(ctx, region, ids)
	if err != nil {
		return fmt.Errorf("read the tags of the nodes with open sessions in %s: %w", region, err)
	}
	for i := range candidates {
		known, ok := tags[candidates[i].Target]
		candidates[i].facts.Tags, candidates[i].nodeGone = known, !ok
	}
	return nil
}

// live lists the grants in force of everything that a session's owner acts as.
func (v revocation) live(ctx context.Context, accountID string, s policy.Session) ([]held, error) {
	owner, _ := policy.OwnerOf(s.Owner)
	c := candidate{facts: s, owner: owner.Principal}
	var live []held
	for _, p := range c.principals() {
		key := outcome.KeyOf(accountID, v1alpha1.Principal{Kind: v1alpha1.PrincipalKind(p.Kind), Name: p.Name})
		var accesses v1alpha1.SessionAccessList
		if err := v.Client.List(ctx, &accesses, index.OfPrincipal(key), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list the SessionAccesses of %s: %w", key, err)
		}
		for i := range accesses.Items {
			if h, ok := v.inForce(&accesses.Items[i], key); ok {
				live = append(live, h)
			}
		}
	}
	return live, nil
}

// inForce is the grant of an object that is in force now for a principal.
func (v revocation) inForce(access *v1alpha1.SessionAccess, key outcome.Key) (held, bool) {
	if !access.DeletionTimestamp.IsZero() || access.Status.Applied == nil || access.Status.Applied.Granted == nil {
		return held{}, false
	}
	if isDisplaced(key, access.Status.Applied.Serial, access.UID, v.Outcomes.Get) {
		return held{}, false
	}
	h := heldOf(string(access.UID), access.Status.Applied.Granted)
	return h, h.grant.Active(v.Clock.Now())
}
