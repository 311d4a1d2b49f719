package sessionaccess

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// regionSearch looks for the sessions of lost grants that are open in a region.
type regionSearch struct {
	revocation
	account accounts.Entry
	region  string
	// lost are the grants in the account.
	lost []v1alpha1.ResolvedGrant
	// readAfter is when what is read must have begun at the earliest.
	readAfter time.Time
	// slow: the last answer of the region took long or was an error (why), or there is none.
	slow bool
	why  error
}

// found is the result of the search in one region.
type found struct {
	// open sessions that must end.
	open   []openSession
	passes []inheritedSession
	// spared are sessions on record that another grant allows by now.
	spared []string
	// failures are why the region could not be searched, or not completely.
	failures []failure
	// seen is when the sessions were listed.
	seen time.Time
}

func (r regionSearch) place() place { return place{r.account.AccountID, r.region} }

// run searches the region. The error is about the cluster, or that there is no time left.
func (r regionSearch) run(ctx context.Context) (found, error) {
	f := found{seen: r.Clock.Now()}
	sessions, at, err := r.list(ctx)
	if err != nil {
		f.failures = append(f.failures, r.unlisted(err))
		return f, ctx.Err()
	}
	f.seen = at
	decides, err := r.membershipDecides(ctx, sessions)
	if err != nil {
		return f, err
	}
	if decides {
		if err := r.readMembers(ctx); err != nil {
			f.failures = append(f.failures, r.failure(fmt.Errorf("read who is a member of which group: %w", err)))
		}
	}
	if err := r.choose(ctx, sessions, &f); err != nil {
		return f, err
	}
	return f, ctx.Err()
}

func (r regionSearch) failure(err error) failure {
	return failure{accountID: r.account.AccountID, region: r.region, err: err}
}

func (r regionSearch) unlisted(err error) failure {
	return r.failure(fmt.Errorf("list the open sessions in %s: %w", r.region, err))
}

func (r regionSearch) list(ctx context.Context) (sessions []ssm.Session, at time.Time, err error) {
	err = r.unread.once(r.place(), func() (err error) {
		sessions, at, err = r.Sessions.list(ctx, r.account, r.region, r.readAfter, r.Clock)
		return err
	})
	return sessions, at, err
}

func (r regionSearch) readMembers(ctx context.Context) error {
	return r.unread.once(place{accountID: r.account.AccountID}, func() error {
		return r.Sessions.readMembers(ctx, r.account, r.readAfter, r.Clock)
	})
}

// unread remembers what could not be read during one reconcile, so that a reconcile waits
// once for a region that fails, and not once for every revocation in it.
type unread map[place]error

// once reads a place, unless that failed before.
func (u unread) once(p place, read func() error) error {
	if err := u[p]; err != nil {
		return err
	}
	err := read()
	if err != nil {
		u[p] = err
	}
	return err
}

// membershipDecides reports whether group membership decides about some session: a group
// has lost access, or a user has who may still have it by a group. What spares a session
// must be as fresh as what ends it.
func (r regionSearch) membershipDecides(ctx context.Context, open []ssm.Session) (bool, error) {
	if slices.ContainsFunc(r.lost, namesGroup) {
		return true, nil
	}
	gone := assignments(string(r.UID), asNamedNow(r.account, r.lost))
	if !slices.ContainsFunc(r.owned(r.account, r.region, open, gone), func(c candidate) bool { return c.owner.Kind == policy.User }) {
		return false, nil
	}
	var accesses v1alpha1.SessionAccessList
	if err := r.Client.List(ctx, &accesses, queue.OfAccountID(r.account.AccountID), client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list the SessionAccesses of account %s: %w", r.account.AccountID, err)
	}
	return slices.ContainsFunc(accesses.Items, func(a v1alpha1.SessionAccess) bool {
		return a.Status.Applied != nil && a.Status.Applied.Granted != nil && namesGroup(*a.Status.Applied.Granted)
	}), nil
}

func assignments(id string, lost []v1alpha1.ResolvedGrant) []assignment {
	gone := make([]assignment, len(lost))
	for i := range lost {
		gone[i] = assignmentOf(id, &lost[i])
	}
	return gone
}

// choose decides about the sessions that are open in the region.
func (r regionSearch) choose(ctx context.Context, open []ssm.Session, f *found) error {
	in := policy.Account{ID: r.account.AccountID, Partition: r.account.Partition}
	lost, err := r.withReplaced(ctx, asNamedNow(r.account, r.lost))
	if err != nil {
		return err
	}
	candidates := r.owned(r.account, r.region, open, assignments(string(r.UID), lost))
	untagged := r.tag(ctx, candidates)
	for _, c := range candidates {
		known, err := r.onRecordFor(ctx, r.account.AccountID, c)
		if err != nil {
			return err
		}
		if err := untagged(c.Target); err != nil && tagsDecide(lost, known) {
			f.failures = append(f.failures, r.failure(err))
			continue
		}
		decision := decideSession(in, c, r.alreadyEnding(c.ID), lost, known)
		if !decision.end && r.alreadyEnding(c.ID) {
			f.spared = append(f.spared, c.ID)
		}
		if decision.end {
			f.open = append(f.open, openSession{Session: c.Session, accountID: r.account.AccountID, region: r.region, in: r.account.SSM(r.region)})
		}
		f.passes = append(f.passes, inheritedSessionsOf(c, decision)...)
	}
	return nil
}

// tagsDecide reports whether a node's tags decide about its sessions: nodes are granted
// or excluded by them.
func tagsDecide(lost []v1alpha1.ResolvedGrant, known []recordedGrant) bool {
	byTags := func(g v1alpha1.ResolvedGrant) bool {
		return len(g.ExcludedTags) > 0 || slices.ContainsFunc(g.Targets, func(t v1alpha1.ResolvedTarget) bool { return len(t.Tags) > 0 })
	}
	return slices.ContainsFunc(lost, byTags) || slices.ContainsFunc(known, func(k recordedGrant) bool { return byTags(*k.resolved) })
}

// tag reads the tags of the candidates' nodes: grants may be bound to them. untagged
// says why those of a node could not be read.
func (r regionSearch) tag(ctx context.Context, candidates []candidate) (untagged func(node string) error) {
	var ids []string
	for _, c := range candidates {
		ids = append(ids, c.Target)
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return func(string) error { return nil }
	}
	tags, err := r.account.SSM(r.region).NodeTags(ctx, ids)
	some, partly := errors.AsType[*ssm.UnreadNodesError](err)
	untagged = func(node string) error {
		switch {
		case err == nil:
			return nil
		case !partly:
			return fmt.Errorf("read the tags of the nodes with open sessions in %s: %w", r.region, err)
		case some.Nodes[node] != nil:
			return fmt.Errorf("read the tags of node %s in %s: %w", node, r.region, some.Nodes[node])
		default:
			return nil
		}
	}
	for i := range candidates {
		known, ok := tags[candidates[i].Target]
		candidates[i].facts.Tags, candidates[i].nodeGone = known, !ok && untagged(candidates[i].Target) == nil
	}
	return untagged
}

// failed joins what failures are about; nil where there is none.
func failed(failures []failure) error {
	var errs []error
	for _, f := range failures {
		errs = append(errs, f.err)
	}
	return errors.Join(errs...)
}

// withReplaced adds to lost grants the machines of the activations that are there now,
// where a grant is of the machines of one that is not: a restore gives a HybridActivation
// another UID, and its machines the tag with it. Which of those of the namespace replaced
// it is not recorded, so each of them may have.
func (v revocation) withReplaced(ctx context.Context, lost []v1alpha1.ResolvedGrant) ([]v1alpha1.ResolvedGrant, error) {
	if !slices.ContainsFunc(lost, func(g v1alpha1.ResolvedGrant) bool { return len(admission.Activations(&g)) > 0 }) {
		return lost, nil
	}
	var list v1alpha1.HybridActivationList
	if err := v.Client.List(ctx, &list, client.InNamespace(v.Origin.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the HybridActivations of namespace %s: %w", v.Origin.Namespace, err)
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.HybridActivation) int { return cmp.Compare(a.UID, b.UID) })
	return replacing(lost, list.Items), nil
}

func timeOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// replacing adds targets with the UIDs of present activations beside each that names one
// which is gone. One that was there when the grant began has replaced none that it names.
func replacing(lost []v1alpha1.ResolvedGrant, present []v1alpha1.HybridActivation) []v1alpha1.ResolvedGrant {
	out := slices.Clone(lost)
	for i := range out {
		var also []v1alpha1.ResolvedTarget
		for j := range out[i].Targets {
			t := &out[i].Targets[j]
			if uid := admission.ActivationOf(t); uid == "" || slices.ContainsFunc(present, func(a v1alpha1.HybridActivation) bool { return string(a.UID) == uid }) {
				continue
			}
			for k := range present {
				if begunBefore(present[k].CreationTimestamp.Time, timeOf(out[i].Since)) {
					continue
				}
				uid := string(present[k].UID)
				replaced := *t
				replaced.Tags = maps.Clone(t.Tags)
				replaced.Tags[v1alpha1.TagActivation] = uid
				also = append(also, replaced)
			}
		}
		out[i].Targets = slices.Concat(out[i].Targets, also)
	}
	return out
}

// assignment is a grant with the principals that it is given to, as the compiler
// knows them.
type assignment struct {
	grant      policy.Grant
	principals []policy.Principal
}

func assignmentOf(id string, g *v1alpha1.ResolvedGrant) assignment {
	return assignment{grant: grants.Policy(id, g), principals: grants.Principals(g)}
}

// recordsOfPrincipal lists the records that name a principal: those of SessionAccesses, and
// then those of pending revocations. A SessionAccess that its account has just taken over may
// be in both. One that only another controller's finalizer keeps counts as gone.
func (r *Reconciler) recordsOfPrincipal(ctx context.Context, key grants.PrincipalKey) ([]grants.Record, error) {
	var accesses v1alpha1.SessionAccessList
	if err := r.Client.List(ctx, &accesses, queue.OfPrincipal(key), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the SessionAccesses of %s: %w", key, err)
	}
	pending, err := grants.PendingOfPrincipal(ctx, r.Client, key)
	return append(unreleased(accesses.Items), pending...), err
}

// recordsInAccount lists the records that name an account id, as recordsOfPrincipal does for
// a principal.
func (r *Reconciler) recordsInAccount(ctx context.Context, accountID string) ([]grants.Record, error) {
	var accesses v1alpha1.SessionAccessList
	if err := r.Client.List(ctx, &accesses, queue.OfAccountID(accountID), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the SessionAccesses of account %s: %w", accountID, err)
	}
	pending, err := grants.PendingInAccount(ctx, r.Client, accountID)
	return append(unreleased(accesses.Items), pending...), err
}

func unreleased(accesses []v1alpha1.SessionAccess) []grants.Record {
	return slices.DeleteFunc(grants.RecordsOf(accesses), func(r grants.Record) bool { return r.Released })
}
