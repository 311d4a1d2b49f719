package principal

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// recordedID is the unique id that a principal had when it was granted; "" when
// the record has none.
func recordedID(grant *v1alpha1.ResolvedGrant, key grants.PrincipalKey) string {
	for _, id := range grant.PrincipalIDs {
		if grants.PrincipalKeyOf(grant.AccountID, v1alpha1.Principal{Kind: id.Kind, Name: id.Name}) == key {
			return id.ID
		}
	}
	return ""
}

// identify finds the grants that were made for a principal that is not under its
// name any more. Permission sets have no id.
func (w *work) identify() {
	w.disappeared = map[types.UID]problem{}
	p := principalOf(w.key, w.claims.name)
	if p == nil {
		return
	}
	for _, g := range w.claims.grants {
		uid := types.UID(g.ID)
		recorded := w.claims.ids[uid]
		if recorded == "" || recorded == w.view.ID || (w.view.Presence != cloud.Absent && w.view.ID == "") {
			continue
		}
		found := disappearance{
			kind: w.key.Kind, name: w.claims.name, recorded: recorded, present: w.view.ID,
			renamed: w.account.Cloud.Mirror().NameOf(p.Kind, recorded), account: w.account.Name,
		}
		if problem, gone := found.judge(w.account.RecreatedPrincipals); gone {
			w.disappeared[uid] = problem
		}
	}
}

// disappearance is what IAM holds in place of a principal that was granted.
type disappearance struct {
	kind v1alpha1.PrincipalKind
	name string
	// recorded is the id of the principal that was granted, present that of the one
	// under its name now: "" when there is none.
	recorded, present string
	// renamed is the name that the granted principal has now: "" when it was deleted.
	renamed string
	// account is the name of the AWSAccount.
	account string
}

// judge decides whether the grant is for another principal than the one that IAM
// has under the name now. A deleted one may be replaced where the account says
// so. A renamed one still exists: the principal under its name is another.
func (d disappearance) judge(recreated v1alpha1.RecreatedPrincipals) (problem, bool) {
	if d.present != "" && d.renamed == "" && recreated == v1alpha1.RecreatedGrant {
		return problem{}, false
	}
	kind := strings.ToLower(string(d.kind))
	fate := fmt.Sprintf("The %s %q with the id %s, which had this access, was deleted from IAM", kind, d.name, d.recorded)
	if d.renamed != "" {
		fate = fmt.Sprintf("The %s %q with the id %s, which had this access, was renamed to %q in IAM", kind, d.name, d.recorded, d.renamed)
	}
	fate += "; its policies are removed and its sessions ended."
	const confirm = "remove the principal from this SessionAccess, wait until status.applied does not name it, and add it again"
	if d.present == "" {
		text := fmt.Sprintf("%s Remove it from this SessionAccess.", fate)
		if d.renamed != "" {
			text = fmt.Sprintf("%s To grant the access under the new name, name %q in this SessionAccess.", fate, d.renamed)
		}
		return problem{v1alpha1.PrincipalNotFound, v1alpha1.ReasonPrincipalNotFound, text}, true
	}
	text := fmt.Sprintf("%s Another %s has the name now, with the id %s, and gets nothing. To grant it the access, %s.", fate, kind, d.present, confirm)
	if d.renamed == "" {
		text = fmt.Sprintf("%s To grant it to every such %s, set recreatedPrincipals: Grant on AWSAccount %q.", text, kind, d.account)
	}
	return problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonPrincipalRecreated, text}, true
}
