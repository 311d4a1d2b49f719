package sessionaccess

import (
	"context"
	"errors"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// clockSkew is how far the operator's clock, by which a grant begins, and AWS's, by
// which a session begins, may be apart: a session that began up to so much before a
// grant counts as begun after it. AWS refuses requests that are signed by a clock
// further off.
const clockSkew = 5 * time.Minute

// recordedGrant is a grant on record, current or former.
type recordedGrant struct {
	assignment
	resolved *v1alpha1.ResolvedGrant
	// record has the grant.
	record *grants.Record
	// live: it allows sessions now.
	live bool
}

// coverage asks since when a grant covers the owner and the node of a session.
func (c candidate) coverage(a assignment, g *v1alpha1.ResolvedGrant) (start time.Time, covers bool) {
	return c.asks(a, g).Start(g)
}

func (c candidate) asks(a assignment, g *v1alpha1.ResolvedGrant) grants.Coverage {
	ask := grants.Coverage{
		Node: c.facts.Target, Region: c.facts.Region,
		OnTarget: func(n int) bool { return c.onTarget(a.grant.Targets[n]) },
	}
	if c.federated {
		ask.As = mayBeFederated(g)
		return ask
	}
	ask.Owner = policy.Key(c.owner)
	for _, p := range c.principals() {
		ask.As = append(ask.As, policy.Key(p))
	}
	return ask
}

// onTarget reports whether the node of a session is one of a target's. Of one that AWS
// knows no longer, the tags are unknown: it counts as one that had those of the target.
func (c candidate) onTarget(t policy.Target) bool {
	s := c.facts
	if c.nodeGone {
		s.Tags = t.Tags
	}
	return t.Matches(s)
}

// mayBeFederated are the principals of a grant as whom federated tokens may have
// acted: users, by themselves or as members of groups.
func mayBeFederated(g *v1alpha1.ResolvedGrant) []string {
	var as []string
	for _, p := range g.Principals {
		if p.Kind == v1alpha1.PrincipalUser || p.Kind == v1alpha1.PrincipalGroup {
			as = append(as, grants.PrincipalPart(p))
		}
	}
	return as
}

// onRecordFor lists the grants of an account on record that are given to what the
// owner of a session acts as, for a federated one to whomever.
func (v revocation) onRecordFor(ctx context.Context, accountID string, c candidate) ([]recordedGrant, error) {
	records, err := v.recordsFor(ctx, accountID, c)
	if err != nil {
		return nil, err
	}
	var all []recordedGrant
	for _, record := range records {
		for i := range record.Former {
			g := &record.Former[i]
			all = append(all, recordedGrant{assignment: assignmentOf(string(record.UID), g), resolved: g, record: record})
		}
		if g := record.Granted; g != nil {
			a := assignmentOf(string(record.UID), g)
			all = append(all, recordedGrant{assignment: a, resolved: g, record: record, live: v.inForce(record, a, accountID, c)})
		}
	}
	return slices.DeleteFunc(all, func(r recordedGrant) bool { return r.resolved.AccountID != accountID }), nil
}

// recordsFor lists the records with such grants, of SessionAccesses and of pending
// revocations, each once. Of this revocation it is the version at hand.
func (v revocation) recordsFor(ctx context.Context, accountID string, c candidate) ([]*grants.Record, error) {
	found := []*grants.Record{&v.Record}
	add := func(records []grants.Record) {
		for i := range records {
			if !slices.ContainsFunc(found, func(r *grants.Record) bool { return r.UID == records[i].UID }) {
				found = append(found, &records[i])
			}
		}
	}
	if c.federated {
		records, err := v.recordsInAccount(ctx, accountID)
		add(records)
		return found, err
	}
	for _, p := range c.principals() {
		records, err := v.recordsOfPrincipal(ctx, keyOfPrincipal(accountID, p))
		if err != nil {
			return nil, err
		}
		add(records)
	}
	return found, nil
}

func keyOfPrincipal(accountID string, p policy.Principal) grants.PrincipalKey {
	return grants.PrincipalKeyOf(accountID, v1alpha1.Principal{Kind: v1alpha1.PrincipalKind(p.Kind), Name: p.Name})
}

// inForce reports whether the current grant of a record is effective now for the
// principals of a session's owner. No grant lets federated tokens open sessions.
func (v revocation) inForce(record *grants.Record, a assignment, accountID string, c candidate) bool {
	if c.federated || record.Deleting || !a.grant.Active(v.Clock.Now()) {
		return false
	}
	return slices.ContainsFunc(c.present(), func(p policy.Principal) bool {
		return slices.ContainsFunc(a.principals, func(q policy.Principal) bool { return policy.Key(p) == policy.Key(q) }) &&
			!isSuperseded(keyOfPrincipal(accountID, p), record.Serial, record.UID, v.Outcomes.Get) &&
			!v.lacksNode(record, a, accountID, p, c)
	})
}

// lacksNode reports whether a principal is known to have nothing of a grant on the
// node of a session: it is ungranted, does not fit or cannot be written, and the policies
// that IAM holds have no such node. While AWS merely fails, the grant counts.
func (v revocation) lacksNode(record *grants.Record, a assignment, accountID string, p policy.Principal, c candidate) bool {
	account, verified := v.Accounts.Get(accountID)
	o, _ := v.Outcomes.Get(keyOfPrincipal(accountID, p))
	observed := o.Observed[record.UID]
	refused := observed.Serial == record.Serial && (observed.State == v1alpha1.PrincipalRefused || observed.State == v1alpha1.PrincipalNotFound)
	_, granted := c.coverage(a, record.Granted)
	if !verified || granted && !refused {
		return false
	}
	policies := policiesOf(account.IAM.Cache(), v1alpha1.Principal{Kind: v1alpha1.PrincipalKind(p.Kind), Name: p.Name})
	return !slices.ContainsFunc(a.grant.Targets, func(t policy.Target) bool {
		id := ""
		if len(t.InstanceIDs) > 0 {
			id = c.Target
		}
		return c.onTarget(t) && mayHold(policies, t.Tags, id)
	})
}

// verdict is what becomes of an open session.
type verdict struct {
	end bool
	// to are the grants that it passes to, which allow it and would take it for one
	// that began before them.
	to []recordedGrant
	// since is when the first of all grants began to cover its owner and node. Zero
	// where that is not known.
	since time.Time
}

// decideSession decides about a session. It ends when a lost grant covered its node for its
// owner and no live grant allows it. It is left alone when it began before any grant
// on record, lost or not, covered the two: it was opened with other permissions. One
// on record was judged before: the node may have been deregistered since, or lost its
// tag.
func decideSession(account policy.Account, c candidate, alreadyEnding bool, lost []v1alpha1.ResolvedGrant, known []recordedGrant) verdict {
	var allowing []recordedGrant
	for _, k := range known {
		if k.live && policy.Covers(account, k.grant, k.principals, c.facts) {
			allowing = append(allowing, k)
		}
	}
	nodeLost := slices.ContainsFunc(lost, func(g v1alpha1.ResolvedGrant) bool {
		_, covers := c.coverage(assignmentOf("", &g), &g)
		return covers
	})
	since, started := firstStart(c, lost, known)
	foreign := started && begunBefore(c.Start, since)
	if len(allowing) == 0 {
		return verdict{end: alreadyEnding || nodeLost && !foreign}
	}
	r := verdict{since: since}
	if alreadyEnding || nodeLost && !foreign {
		for _, k := range allowing {
			if own, covers := c.coverage(k.assignment, k.resolved); !covers || begunBefore(c.Start, own) {
				r.to = append(r.to, k)
			}
		}
	}
	return r
}

// firstStart is since when the first of grants covers the owner and the node of a
// session; false where none does.
func firstStart(c candidate, lost []v1alpha1.ResolvedGrant, known []recordedGrant) (first time.Time, found bool) {
	note := func(a assignment, g *v1alpha1.ResolvedGrant) {
		if start, covers := c.coverage(a, g); covers && (!found || start.Before(first)) {
			first, found = start, true
		}
	}
	for i := range lost {
		note(assignmentOf("", &lost[i]), &lost[i])
	}
	for _, k := range known {
		note(k.assignment, k.resolved)
	}
	return first, found
}

// begunBefore reports whether a session provably began before a time. In doubt it did
// not: where either is not known, or the two are closer than clocks may be apart.
func begunBefore(session, start time.Time) bool {
	return !session.IsZero() && !start.IsZero() && session.Add(clockSkew).Before(start)
}

// candidate is an open session whose owner lost something.
type candidate struct {
	ssm.Session
	facts policy.Session
	owner policy.Principal
	// left are the groups that the owner, an IAM user, has left: a grant to one of them may
	// have opened the session, and does not spare it.
	left []string
	// federated: a token of an IAM user that the session does not name.
	federated bool
	// nodeGone: AWS does not know the node, or no longer.
	nodeGone bool
}

// owned picks the sessions whose owner is, or belongs to, a principal of the
// lost grants, and those of federated tokens where users have lost something. Sessions
// that AWS approved just in time do not rest on any grant.
func (v revocation) owned(account accounts.Entry, region string, open []ssm.Session, lost []assignment) []candidate {
	var candidates []candidate
	for _, s := range open {
		if s.JustInTime {
			continue
		}
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
			cache := account.IAM.Cache()
			c.facts.OwnerGroups, c.left = cache.GroupsOf(owner.Principal.Name), cache.LeftGroups(owner.Principal.Name)
		}
		if slices.ContainsFunc(lost, func(a assignment) bool { return slices.ContainsFunc(a.principals, c.acts) }) {
			candidates = append(candidates, c)
		}
	}
	return candidates
}

// toUsers reports whether a grant is given to users, by themselves or as members of a
// group: federated tokens have their permissions.
func toUsers(a assignment) bool {
	return slices.ContainsFunc(a.principals, func(p policy.Principal) bool { return p.Kind == policy.User || p.Kind == policy.Group })
}

// acts reports whether the session's owner acts as a principal, or did: is it, or is or was
// a member of it.
func (c candidate) acts(p policy.Principal) bool {
	return slices.ContainsFunc(c.principals(), func(as policy.Principal) bool { return policy.Key(as) == policy.Key(p) })
}

// principals are all as whom the session's owner acts, or did.
func (c candidate) principals() []policy.Principal {
	return append(c.present(), groups(c.left)...)
}

// present are those as whom the owner acts now.
func (c candidate) present() []policy.Principal {
	return append([]policy.Principal{c.owner}, groups(c.facts.OwnerGroups)...)
}

func groups(names []string) []policy.Principal {
	var all []policy.Principal
	for _, name := range names {
		all = append(all, policy.Principal{Kind: policy.Group, Name: name})
	}
	return all
}

// inheritedSession is a session that a lost grant leaves to another one that allows it, too. Once
// the lost grant is forgotten, only the record of the other grant shows that the session
// was opened through a grant.
type inheritedSession struct {
	// to is the record with the current grant.
	to          *grants.Record
	owner, node string
	// coverage is what the session asks of the grant.
	coverage grants.Coverage
	// since is when the first grant began to cover the two; zero where that is not
	// known.
	since time.Time
}

func inheritedSessionsOf(c candidate, r verdict) []inheritedSession {
	var passes []inheritedSession
	for _, k := range r.to {
		passes = append(passes, inheritedSession{to: k.record, owner: policy.Key(c.owner), node: c.Target, since: r.since, coverage: c.asks(k.assignment, k.resolved)})
	}
	return passes
}

// pass adds to the records of current grants the sessions that pass to them. waiting
// reports whether other objects were written: the revocation continues once the cache
// shows them. What passes within the object itself is written with its own status.
func (v revocation) pass(ctx context.Context, passes []inheritedSession) (waiting bool, err error) {
	to := map[types.UID]*grants.Record{}
	for _, p := range passes {
		record := to[p.to.UID]
		if record == nil {
			with := *p.to
			record = &with
			to[p.to.UID] = record
		}
		record.Granted = grants.Inherit(p.coverage.Admit(record.Granted, p.since), p.owner, p.node, p.since)
	}
	for uid, record := range to {
		if uid == v.UID {
			v.Granted = record.Granted
			continue
		}
		access, ok := record.Object.(*v1alpha1.SessionAccess)
		if !ok {
			continue // No session passes to a pending revocation.
		}
		waiting = true
		after := access.DeepCopy()
		after.Status.Applied.Granted = record.Granted
		log.FromContext(ctx).Info("Passing open sessions to a grant that allows them, too", "to", record.Origin.String())
		_, failure := reconcile.WriteStatus(ctx, v.Client, access, after)
		if reconcile.Rejected(failure) { // A full object holds up no revocation of others.
			after = access.DeepCopy()
			after.Status.Applied.Granted = grants.InheritAll(record.Granted)
			_, failure = reconcile.WriteStatus(ctx, v.Client, access, after)
		}
		err = errors.Join(err, failure)
	}
	return waiting, err
}
