package sessionaccess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// found is the result of one search in an account.
type found struct {
	// open sessions that must end.
	open   []openSession
	passes []passing
	// failures are the regions that could not be searched, or not completely.
	failures []failure
	// seen is when the first call to AWS was made.
	seen time.Time
	// unchecked: sessions of some region cannot be listed, and need not be.
	unchecked bool
	// searched: those of some region were listed, or should have been.
	searched bool
}

// losing looks in all regions of lost grants for the sessions that must end. A region
// that fails keeps none of the others. The error is about the cluster, or that there
// is no time left.
func (v revocation) losing(ctx context.Context, account accounts.Entry, lost []v1alpha1.ResolvedGrant) (found, error) {
	f := found{seen: v.Clock.Now()}
	fail := func(region string, err error) {
		f.failures = append(f.failures, failure{accountID: account.AccountID, region: region, err: err})
	}
	open := map[string][]cloud.Session{}
	regions := slices.DeleteFunc(regionsOf(lost), func(region string) bool {
		if account.SessionTermination == v1alpha1.TerminationBestEffort && account.NeverListed[region] {
			f.unchecked = true
			return true
		}
		f.searched = true
		sessions, at, err := v.Sessions.list(ctx, account, region, v.listedAfter(), v.Clock)
		if err != nil {
			fail(region, fmt.Errorf("list the open sessions in %s: %w", region, err))
			return true
		}
		if at.Before(f.seen) {
			f.seen = at
		}
		open[region] = sessions
		return false
	})
	decides, err := v.membershipDecides(ctx, account, lost, open)
	if err != nil {
		return f, err
	}
	if decides {
		if err := v.Sessions.readMembers(ctx, account, v.listedAfter(), v.Clock); err != nil {
			for _, region := range regions {
				fail(region, fmt.Errorf("read who is a member of which group: %w", err))
			}
		}
	}
	for _, region := range regions {
		if err := v.choose(ctx, account, region, open[region], lost, &f); err != nil {
			return f, err
		}
	}
	return f, ctx.Err()
}

// membershipDecides reports whether group membership decides about some session: a group
// has lost access, or a user has who may still have it by a group. What spares a session
// must be as fresh as what ends it.
func (v revocation) membershipDecides(ctx context.Context, account accounts.Entry, lost []v1alpha1.ResolvedGrant, open map[string][]cloud.Session) (bool, error) {
	if slices.ContainsFunc(lost, namesGroup) {
		return true, nil
	}
	gone := heldAll(string(v.access.UID), asNamedNow(account, lost))
	ofUsers := false
	for region, sessions := range open {
		ofUsers = ofUsers || slices.ContainsFunc(v.owned(account, region, sessions, gone), func(c candidate) bool { return c.owner.Kind == policy.User })
	}
	if !ofUsers {
		return false, nil
	}
	var accesses v1alpha1.SessionAccessList
	if err := v.Client.List(ctx, &accesses, queue.OfAccountID(account.AccountID), client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list the SessionAccesses of account %s: %w", account.AccountID, err)
	}
	return slices.ContainsFunc(accesses.Items, func(a v1alpha1.SessionAccess) bool {
		return a.Status.Applied != nil && a.Status.Applied.Granted != nil && namesGroup(*a.Status.Applied.Granted)
	}), nil
}

func heldAll(id string, lost []v1alpha1.ResolvedGrant) []held {
	gone := make([]held, len(lost))
	for i := range lost {
		gone[i] = heldOf(id, &lost[i])
	}
	return gone
}

// choose decides about the sessions that are open in a region.
func (v revocation) choose(ctx context.Context, account accounts.Entry, region string, open []cloud.Session, lost []v1alpha1.ResolvedGrant, f *found) error {
	in := policy.Account{ID: account.AccountID, Partition: account.Partition}
	lost = asNamedNow(account, lost)
	candidates := v.owned(account, region, open, heldAll(string(v.access.UID), lost))
	unread := v.tag(ctx, account, region, candidates)
	for _, c := range candidates {
		known, err := v.onRecordFor(ctx, account.AccountID, c)
		if err != nil {
			return err
		}
		if err := unread(c.Target); err != nil && tagsDecide(lost, known) {
			f.failures = append(f.failures, failure{accountID: account.AccountID, region: region, err: err})
			continue
		}
		r := rule(in, c, v.onRecord(c.ID), lost, known)
		if r.end {
			f.open = append(f.open, openSession{Session: c.Session, accountID: account.AccountID, region: region, in: account.Cloud})
		}
		f.passes = append(f.passes, passingOf(c, r)...)
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

// tag reads the tags of the candidates' nodes: grants may be bound to them. unread
// says why those of a node could not be read.
func (v revocation) tag(ctx context.Context, account accounts.Entry, region string, candidates []candidate) (unread func(node string) error) {
	var ids []string
	for _, c := range candidates {
		ids = append(ids, c.Target)
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return func(string) error { return nil }
	}
	tags, err := account.Cloud.NodeTags(ctx, region, ids)
	some, partly := errors.AsType[*cloud.UnreadNodesError](err)
	unread = func(node string) error {
		switch {
		case err == nil:
			return nil
		case !partly:
			return fmt.Errorf("read the tags of the nodes with open sessions in %s: %w", region, err)
		case some.Nodes[node] != nil:
			return fmt.Errorf("read the tags of node %s in %s: %w", node, region, some.Nodes[node])
		default:
			return nil
		}
	}
	for i := range candidates {
		known, ok := tags[candidates[i].Target]
		candidates[i].facts.Tags, candidates[i].nodeGone = known, !ok && unread(candidates[i].Target) == nil
	}
	return unread
}

// failed joins what failures are about; nil where there is none.
func failed(failures []failure) error {
	var errs []error
	for _, f := range failures {
		errs = append(errs, f.err)
	}
	return errors.Join(errs...)
}
