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

// mustEnd says whether a session has lost its permission: a lost grant covered
// its node for its owner, its document was somehow granted to that owner, and
// no live grant allows the two together. A session that grants of ours never
// had to do with is left alone.
func mustEnd(account policy.Account, s policy.Session, lost, live []held) bool {
	if slices.ContainsFunc(live, func(h held) bool { return policy.Covers(account, h.grant, h.principals, s) }) {
		return false
	}
	nodeLost := slices.ContainsFunc(lost, func(h held) bool { return coversNode(account, h, s) })
	return nodeLost && slices.ContainsFunc(slices.Concat(lost, live), func(h held) bool { return namesDocument(account, h, s) })
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
