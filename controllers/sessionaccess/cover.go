package sessionaccess

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// held is a grant with the principals that it is given to, as the compiler
// knows them.
type held struct {
	grant      policy.Grant
	principals []policy.Principal
}

func heldOf(id string, g *v1alpha1.ResolvedGrant) held {
	return held{grant: grants.Policy(id, g), principals: grants.Principals(g)}
}

// mustEnd says whether a session has lost its permission: no live grant allows
// its node and document together, a lost grant covered its node for its owner,
// and its document was somehow granted to that owner. A session that grants of
// ours never had to do with is left alone. One on record was judged before: the
// node may have been deregistered since, or lost the tag that told.
func mustEnd(account policy.Account, c candidate, onRecord bool, lost, live []held) bool {
	if slices.ContainsFunc(live, func(h held) bool { return policy.Covers(account, h.grant, h.principals, c.facts) }) {
		return false
	}
	nodeLost := slices.ContainsFunc(lost, func(h held) bool { return coveredNode(account, h, c) })
	return onRecord || nodeLost && slices.ContainsFunc(slices.Concat(lost, live), func(h held) bool { return namesDocument(account, h, c.facts) })
}

// coveredNode says whether a grant covered the node of a session. Of one that AWS
// knows no longer, nobody can tell what tags it had: it counts as one that had
// those of the grant.
func coveredNode(account policy.Account, h held, c candidate) bool {
	if !c.nodeGone {
		return coversNode(account, h, c.facts)
	}
	return slices.ContainsFunc(h.grant.Targets, func(t policy.Target) bool {
		s := c.facts
		s.Tags = t.Tags
		return coversNode(account, h, s)
	})
}

// coversNode says whether a grant covers a session's owner, region and node,
// with whatever document.
func coversNode(account policy.Account, h held, s policy.Session) bool {
	for _, d := range h.grant.Documents {
		s.Document = d.Name
		if policy.Covers(account, h.grant, h.principals, s) {
			return true
		}
	}
	return false
}

// namesDocument says whether a grant to the session's owner names its document,
// on whatever node: IAM cannot tie the two together.
func namesDocument(account policy.Account, h held, s policy.Session) bool {
	return policy.NamesDocument(account, h.grant, h.principals, s)
}
