package principal

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
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
	broader := w.broaderAccess(ctx)
	for _, g := range w.claims.grants {
		uid := types.UID(g.ID)
		notices[uid] = grants.Notices{
			EffectiveAccessBroader: strings.Join(broader[uid], " "),
			SessionPrefixOverlap:   cmp.Or(w.sessionPrefixOverlap(g), endangered),
			GrantedElsewhere:       elsewhere,
		}
	}
	return notices
}

// sessionPrefixOverlap names the users whose sessions the principal may resume and end,
// because their ids begin like its own.
func (w *work) sessionPrefixOverlap(g policy.Grant) string {
	if g.OwnSessions == policy.OwnerTag {
		return ""
	}
	var names []string
	switch w.key.Kind {
	case v1alpha1.PrincipalUser:
		names = []string{w.claims.name}
	case v1alpha1.PrincipalGroup:
		names = w.account.IAM.Cache().Members(w.claims.name)
	case v1alpha1.PrincipalRole, v1alpha1.PrincipalPermissionSet:
		// Their own sessions are always recognised by the owner's tag.
	}
	for _, name := range names {
		others := policy.SessionPrefixOverlaps(name, w.account.IAM.Cache().UserNamesWithPrefix(name+"-"))
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
	foreign := w.account.IAM.Cache().ForeignOwners(*p)
	if len(foreign) == 0 {
		return ""
	}
	slices.SortFunc(foreign, func(a, b iam.ForeignPolicy) int { return strings.Compare(a.Name, b.Name) })
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

const (
	// maxComparisons bounds the work of comparing grants with one another, which is
	// for a notice only: about a millisecond.
	maxComparisons = 200_000
	// maxMembers bounds the members of a group whose own grants are compared with
	// the group's.
	maxMembers = 50
)

// broaderAccess gathers the sentences on what IAM allows beyond the objects.
type broaderAccess struct {
	// names of the objects by UID, those of other principals too.
	names     map[types.UID]types.NamespacedName
	sentences map[types.UID][]string
}

// broaderAccess names to the objects of a pair what IAM allows beyond them: the grants
// of the principal among one another, and a user's beside those of its groups.
// The reconcile of the other principal informs that principal's objects.
func (w *work) broaderAccess(ctx context.Context) map[types.UID][]string {
	out := broaderAccess{names: maps.Clone(w.claims.origins), sentences: map[types.UID][]string{}}
	out.add(w.key.String(), w.claims.grants, func(policy.CrossedPair) bool { return true })
	for _, beside := range w.beside(ctx, out.names) {
		own := len(w.claims.grants)
		all := slices.Concat(w.claims.grants, beside.grants)
		ours := func(id string) bool {
			return slices.ContainsFunc(all[:own], func(g policy.Grant) bool { return g.ID == id })
		}
		out.add(beside.who, all, func(p policy.CrossedPair) bool { return ours(p.Nodes) != ours(p.Documents) })
	}
	return out.sentences
}

func (o broaderAccess) add(who string, all []policy.Grant, counts func(policy.CrossedPair) bool) {
	for _, pair := range policy.BroaderAccess(withinBound(all)) {
		if !counts(pair) {
			continue
		}
		nodes, documents := types.UID(pair.Nodes), types.UID(pair.Documents)
		sentence := fmt.Sprintf("%s can use %s of SessionAccess %s on the nodes of SessionAccess %s, because IAM cannot tie a document to a node; give both objects the same documents, or other principals.",
			who, list("document", pair.Names), o.names[documents], o.names[nodes])
		for _, uid := range []types.UID{nodes, documents} {
			if len(o.sentences[uid]) < maxListed && !slices.Contains(o.sentences[uid], sentence) {
				o.sentences[uid] = append(o.sentences[uid], sentence)
			}
		}
	}
}

// company is a principal that holds the grants of a user and of its groups together.
type company struct {
	who string
	// grants in addition to those of the principal.
	grants []policy.Grant
}

// beside lists who else's grants add up with the principal's: for a user those of
// its groups, for a group those of its members.
func (w *work) beside(ctx context.Context, names map[types.UID]types.NamespacedName) []company {
	cache := w.account.IAM.Cache()
	if len(w.claims.grants) == 0 {
		return nil
	}
	switch w.key.Kind {
	case v1alpha1.PrincipalUser:
		together := company{who: w.key.String()}
		for _, group := range cache.GroupsOf(w.claims.name) {
			together.grants = append(together.grants, w.grantsOf(ctx, v1alpha1.PrincipalGroup, group, names)...)
		}
		return []company{together}
	case v1alpha1.PrincipalGroup:
		var all []company
		members := cache.Members(w.claims.name)
		for _, member := range members[:min(len(members), maxMembers)] {
			if own := w.grantsOf(ctx, v1alpha1.PrincipalUser, member, names); len(own) > 0 {
				all = append(all, company{who: "User/" + member, grants: own})
			}
		}
		return all
	default:
		return nil
	}
}

// grantsOf lists the grants of another principal by the objects that are not
// among this one's.
func (w *work) grantsOf(ctx context.Context, kind v1alpha1.PrincipalKind, name string, names map[types.UID]types.NamespacedName) []policy.Grant {
	key := grants.PrincipalKeyOf(w.key.AccountID, v1alpha1.Principal{Kind: kind, Name: name})
	var accesses v1alpha1.SessionAccessList
	if err := w.Client.List(ctx, &accesses, queue.OfPrincipal(key), client.UnsafeDisableDeepCopy); err != nil {
		return nil // A list from the cache fails only while the manager stops.
	}
	var all []policy.Grant
	for _, record := range grants.RecordsOf(accesses.Items) {
		if _, mine := w.claims.observed[record.UID]; mine || record.Deleting {
			continue
		}
		if _, ok := grantedTo(record.Granted, key); ok && !grants.Expired(record.Granted, w.Clock.Now()) {
			names[record.UID] = record.Origin
			all = append(all, grants.Policy(string(record.UID), record.Granted))
		}
	}
	return all
}

// withinBound are the first grants whose comparison stays within the bound.
func withinBound(all []policy.Grant) []policy.Grant {
	elements, documents := 0, 0
	for i, g := range all {
		nodes := len(g.Targets)
		for _, t := range g.Targets {
			nodes += len(t.InstanceIDs)
		}
		elements += nodes * len(g.Regions)
		documents += len(g.Documents)
		if (i+1)*(i+1)*elements*documents > maxComparisons {
			return all[:i]
		}
	}
	return all
}
