package sessionaccess

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// candidate is an open session whose owner lost something.
type candidate struct {
	cloud.Session
	facts policy.Session
	owner policy.Principal
	// federated: a token of an IAM user that the session does not name.
	federated bool
	// nodeGone: AWS does not know the node, or no longer.
	nodeGone bool
}

// owned picks the sessions whose owner is, or belongs to, a principal of the
// lost grants, and those of federated tokens where users have lost something.
func (v revocation) owned(account accounts.Entry, region string, open []cloud.Session, lost []held) []candidate {
	var candidates []candidate
	for _, s := range open {
		c := candidate{Session: s, facts: policy.Session{Owner: s.Owner, Target: s.Target, Region: region, Document: s.Document}}
		if in, ok := policy.FederatedIn(s.Owner); ok {
			if c.federated = true; in.ID == account.AccountID && slices.ContainsFunc(lost, toUsers) {
				candidates = append(candidates, c)
			}
			continue
		}
		owner, ok := policy.OwnerOf(s.Owner)
		if !ok || owner.Account.ID != account.AccountID {
			continue
		}
		c.owner = owner.Principal
		if owner.Principal.Kind == policy.User {
			c.facts.OwnerGroups = account.Cloud.Mirror().GroupsOf(owner.Principal.Name)
		}
		if slices.ContainsFunc(lost, func(h held) bool { return slices.ContainsFunc(h.principals, c.acts) }) {
			candidates = append(candidates, c)
		}
	}
	return candidates
}

// toUsers reports whether a grant is given to users, by themselves or as members of a
// group: federated tokens have their permissions.
func toUsers(h held) bool {
	return slices.ContainsFunc(h.principals, func(p policy.Principal) bool { return p.Kind == policy.User || p.Kind == policy.Group })
}

// acts reports whether the session's owner acts as a principal: is it, or is a
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
