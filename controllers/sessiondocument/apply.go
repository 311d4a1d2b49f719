package sessiondocument

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// converge brings every region to the desired state. It records what it may send to AWS
// before it does.
func (r *Reconciler) converge(ctx context.Context, s *scope) (reconcile.Result, error) {
	if err := r.record(ctx, s); err != nil {
		if reconcile.Rejected(err) {
			return r.narrowUnrecorded(ctx, s, err), nil
		}
		return reconcile.Result{}, err
	}
	begun := r.Clock.Now()
	var all regionResults
	r.leaveRegions(ctx, s, &all)
	for i := range s.Object.Status.Regions {
		at := &s.Object.Status.Regions[i]
		if !s.desired.in(at.Region) {
			continue
		}
		f, err := r.convergeRegion(ctx, s, at)
		if err != nil {
			r.Memory.forget(s.Object.UID)
			return reconcile.Result{}, err
		}
		all.add(at, f)
	}
	r.checkLogging(ctx, s)
	setPromotionPending(s)
	result := all.result(inPlace(s))
	isReady := result.Phase == reconcile.Ready
	if isReady {
		s.Object.Status.TagKeys = s.desired.declaredKeys()
	}
	if isReady && len(all.hidden) > 0 {
		result = s.hidden(result)
	}
	r.Memory.forget(s.Object.UID)
	if isReady && len(all.hidden) == 0 {
		result.AfterPatch = func() { r.Memory.settle(s, begun, r.Clock.Now()) }
	}
	return result, nil
}

// regionScope is one reconcile of a document in one region.
type regionScope struct {
	*scope
	at     *v1alpha1.DocumentRegion
	region string
	name   string
	// latest describes the newest version.
	latest ssm.Document
	// created: the document was made in this reconcile, so it cannot have been shared.
	created bool
	// shared are the accounts that the document was shared with, once sharesRead.
	shared     []string
	sharesRead bool
	// shares are the resource shares of RAM.
	shares resourceShares
	// sharesErr is why the shares could not be read, or why those could not be removed
	// that the spec does not declare.
	sharesErr error
	// would is what was left out in mode Observe.
	would []string
}

func (s *scope) inRegion(at *v1alpha1.DocumentRegion) *regionScope {
	return &regionScope{scope: s, at: at, region: string(at.Region), name: s.Object.Status.Name}
}

func (rs *regionScope) key() documentKey {
	return documentKey{rs.account.AccountID, rs.region, rs.name}
}

// do writes to AWS or, in mode Observe, notes what would be written, as in
// "create the document". done is false then.
func (r *Reconciler) do(rs *regionScope, what string, write func() error) (done bool, err error) {
	if rs.isObserving() {
		rs.would = append(rs.would, what)
		return false, nil
	}
	// Before the call: the write may have taken effect even if the call fails.
	r.Memory.wrote(rs.key(), r.Clock.Now(), false)
	err = write()
	r.Memory.wrote(rs.key(), r.Clock.Now(), false)
	return err == nil, err
}

// step brings a region further. It returns nil to continue with the next step.
type step func(context.Context, *regionScope) (*regionResult, error)

// convergeRegion makes the document of a region what is desired. An error ends
// the reconcile: it is a *recordError, and not one of AWS.
func (r *Reconciler) convergeRegion(ctx context.Context, s *scope, at *v1alpha1.DocumentRegion) (regionResult, error) {
	rs := s.inRegion(at)
	// The owner is checked before everything else. Steps that revoke access come before
	// those that can fail, and the ownership tags before the content.
	for _, step := range []step{r.exist, r.claim, r.withdrawShares, r.tag, r.hold, r.share, r.shareWithOrganizations, r.prune} {
		f, err := step(ctx, rs)
		if _, unrecorded := errors.AsType[*recordError](err); unrecorded {
			return regionResult{}, err
		}
		if err != nil {
			return failed(err), nil
		}
		if f != nil {
			return rs.unlessObserved(*f), nil
		}
	}
	return rs.unlessObserved(active()), nil
}

// unlessObserved reports what was left out, where anything was.
func (rs *regionScope) unlessObserved(f regionResult) regionResult {
	if len(rs.would) == 0 {
		return f
	}
	return blocked(v1alpha1.DocumentWouldWrite, v1alpha1.ReasonObserved,
		fmt.Sprintf("AWSAccount %q is in mode Observe, so nothing is written. What would be done with document %q in %s: %s.", rs.account.Name, rs.name, rs.region, strings.Join(rs.would, ", ")))
}

// describe reads the newest version.
func (r *Reconciler) describe(ctx context.Context, rs *regionScope) (ok bool, err error) {
	rs.latest, ok, err = rs.account.SSM(rs.region).Document(ctx, rs.name, ssm.LatestVersion)
	if ok {
		rs.at.DefaultVersion, rs.at.LatestVersion = rs.latest.Default, rs.latest.Latest
	}
	return ok, err
}

// exist makes the document where there is none.
func (r *Reconciler) exist(ctx context.Context, rs *regionScope) (*regionResult, error) {
	ok, err := r.describe(ctx, rs)
	if err != nil || ok {
		return nil, err
	}
	if f := rs.leftToRival(); f != nil {
		return f, nil
	}
	rs.at.DefaultVersion, rs.at.LatestVersion, rs.at.PendingVersion, rs.at.Hash, rs.at.ContentHash = 0, 0, 0, "", ""
	done, err := r.do(rs, "create it", func() error {
		return rs.account.SSM(rs.region).CreateSessionDocument(ctx, rs.name, rs.desired.text, rs.desired.tags)
	})
	switch {
	case ssm.IsDocumentExists(err):
		// This object made it a moment ago, or another client did: the next read shows.
		return rs.settling(), nil
	case err != nil:
		return nil, err
	case !done:
		return new(blocked(v1alpha1.DocumentWouldWrite, "", "")), nil
	}
	rs.created = true
	if rs.at.Adopted != nil {
		// There was no document, so there is nothing to restore any more. The creation
		// proves that; a read that shows no document does not.
		rs.at.Adopted = nil
		if err := rs.persist(ctx); err != nil {
			return nil, err
		}
	}
	if ok, err = r.describe(ctx, rs); err != nil || ok {
		return nil, err
	}
	return rs.settling(), nil
}

// settling waits for AWS to show what it said that it did.
func (rs *regionScope) settling() *regionResult {
	return new(waits(v1alpha1.DocumentPending, settleDelay, v1alpha1.ReasonApplying,
		fmt.Sprintf("AWS does not show the last change of document %q in %s yet.", rs.name, rs.region)))
}

// tag repairs the tags. Tags that are not declared stay.
func (r *Reconciler) tag(ctx context.Context, rs *regionScope) (*regionResult, error) {
	missing := map[string]string{}
	for key, value := range rs.tags() {
		if is, ok := rs.latest.Tags[key]; !ok || is != value {
			missing[key] = value
		}
	}
	if len(missing) > 0 {
		what := "set tags " + strings.Join(slices.Sorted(maps.Keys(missing)), ", ")
		if _, err := r.do(rs, what, func() error {
			return rs.account.SSM(rs.region).TagDocument(ctx, rs.name, missing)
		}); err != nil {
			return nil, err
		}
	}
	var stale []string
	for _, key := range rs.Object.Status.TagKeys {
		if _, desired := rs.desired.tags[key]; desired {
			continue
		}
		if _, has := rs.latest.Tags[key]; has {
			stale = append(stale, key)
		}
	}
	if len(stale) > 0 {
		if _, err := r.do(rs, "remove tags "+strings.Join(stale, ", "), func() error {
			return rs.account.SSM(rs.region).UntagDocument(ctx, rs.name, stale)
		}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
