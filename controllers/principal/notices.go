package principal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// maxListed bounds the names in one sentence.
const maxListed = 5

// notices returns for each object what people should know about it although its access
// is in place.
func (w *work) notices(ctx context.Context) map[types.UID]grants.Notices {
	notices := map[types.UID]grants.Notices{}
	endangered := w.endangered(ctx)
	elsewhere := w.grantedElsewhere()
	widened := w.widened(ctx)
	for _, g := range w.claims.grants {
		uid := types.UID(g.ID)
		notices[uid] = grants.Notices{
			Widened:          strings.Join(widened[uid], " "),
			PrefixHazard:     cmp.Or(w.prefixHazard(g), endangered),
			GrantedElsewhere: elsewhere,
		}
	}
	return notices
}

// prefixHazard names the users whose sessions the principal may resume and end,
// because their ids begin like its own.
func (w *work) prefixHazard(g policy.Grant) string {
	if g.OwnSessions == policy.OwnerTag {
		return ""
	}
	var names []string
	switch w.key.Kind {
	case v1alpha1.PrincipalUser:
		names = []string{w.claims.name}
	case v1alpha1.PrincipalGroup:
		names = w.account.Cloud.Mirror().Members(w.claims.name)
	case v1alpha1.PrincipalRole, v1alpha1.PrincipalPermissionSet:
		// Their own sessions are always recognised by the owner's tag.
	}
	for _, name := range names {
		others := policy.PrefixHazards(name, w.account.Cloud.Mirror().UserNamesWithPrefix(name+"-"))
		if len(others) > 0 {
			return fmt.Sprintf("User %s may resume and end the sessions of %s, whose names begin with %s-; set sessionScope: OwnerTag.", name, list("user", others), name)
		}
	}
	return ""
}

// endangered names the user who may resume and end the sessions of this one,
// because this one's name begins like that one's.
func (w *work) endangered(ctx context.Context) string {
	if w.key.Kind != v1alpha1.PrincipalUser {
		return ""
	}
	for at, letter := range w.key.Name {
		if letter != '-' || at == 0 {
			continue
		}
		other := grants.PrincipalKey{AccountID: w.key.AccountID, Kind: v1alpha1.PrincipalUser, Name: w.key.Name[:at]}
		var accesses v1alpha1.SessionAccessList
		if err := w.Client.List(ctx, &accesses, queue.OfPrincipal(other), client.UnsafeDisableDeepCopy); err != nil {
			return "" // A list from the cache fails only while the manager stops.
		}
		for i := range accesses.Items {
			record := accesses.Items[i].Status.Applied
			if record == nil || record.Granted == nil || record.Granted.SessionScope == v1alpha1.ScopeOwnerTag {
				continue
			}
			if spelling, ok := grantedTo(record.Granted, other); ok {
				return fmt.Sprintf("User %s may resume and end the sessions of user %s, whose name begins with %s-; set sessionScope: OwnerTag on SessionAccess %s/%s.",
					spelling, w.claims.name, spelling, accesses.Items[i].Namespace, accesses.Items[i].Name)
			}
		}
	}
	return ""
}

// grantedElsewhere names the policies of other installations that are attached
// to the principal.
func (w *work) grantedElsewhere() string {
	p := principalOf(w.key, w.claims.name)
	if p == nil {
		return ""
	}
	foreign := w.account.Cloud.Mirror().ForeignOwners(*p)
	if len(foreign) == 0 {
		return ""
	}
	slices.SortFunc(foreign, func(a, b cloud.ForeignPolicy) int { return strings.Compare(a.Name, b.Name) })
	return fmt.Sprintf("%s also has policy %s of installation %s. If that cluster is gone, start this operator with --owner-id=%s to take its policies over; otherwise both grant.",
		w.key, foreign[0].Name, foreign[0].OwnerID, foreign[0].OwnerID)
}

// list names a bounded number of things.
func list(noun string, names []string) string {
	if len(names) > 1 {
		noun += "s"
	}
	text := noun + " " + strings.Join(names[:min(len(names), maxListed)], ", ")
	if more := len(names) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
