package sessiondocument

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// Cleanup cleans up in every region on record.
func (r *Reconciler) Cleanup(ctx context.Context, frame *frameScope) (reconcile.Result, error) {
	s := &scope{frameScope: frame}
	return s.shown(r.cleanup(ctx, s)), nil
}

func (r *Reconciler) cleanup(ctx context.Context, s *scope) reconcile.Result {
	status := &s.Object.Status
	var all regionResults
	if len(status.Regions) > 0 {
		var ok bool
		if s.account, ok = r.Accounts.Get(status.AccountID); !ok {
			return stays(s.Object)
		}
		r.leaveRegions(ctx, s, &all) // None is desired.
	}
	if len(status.Regions) == 0 {
		r.Memory.drop(s.Object.UID)
		return reconcile.Released()
	}
	return all.result(cleaningUp(s.Object))
}

// gone is the result for a region where nothing is left to clean up.
func gone() regionResult { return regionResult{} }

func (f regionResult) isGone() bool { return f.state == "" && f.err == nil }

// leaveRegions cleans up in the regions that are no longer declared, and strikes
// off the record those where it is done.
func (r *Reconciler) leaveRegions(ctx context.Context, s *scope, all *regionResults) {
	var left []v1alpha1.Region
	for i := range s.Object.Status.Regions {
		at := &s.Object.Status.Regions[i]
		if s.desired.in(at.Region) {
			continue
		}
		f := r.cleanUp(ctx, s, at)
		if f.isGone() {
			left = append(left, at.Region)
			continue
		}
		all.add(at, f)
	}
	s.Object.Status.Regions = slices.DeleteFunc(s.Object.Status.Regions, func(at v1alpha1.DocumentRegion) bool { return slices.Contains(left, at.Region) })
}

// cleanUp does with the document of a region what deletionPolicy says. A document that
// is not the object's is left alone.
func (r *Reconciler) cleanUp(ctx context.Context, s *scope, at *v1alpha1.DocumentRegion) regionResult {
	rs := s.inRegion(at)
	ok, err := r.describe(ctx, rs)
	switch {
	case err != nil:
		return failed(err)
	case !ok && rs.isObserving():
		return r.absent(rs)
	case !ok:
		// A resource share must not share a document of that name that someone else makes.
		if f, err := r.unshareOrganizations(ctx, rs); f != nil || err != nil {
			return orFailed(f, err)
		}
		return r.absent(rs)
	}
	if its, err := r.isOurs(ctx, rs); err != nil {
		return failed(err)
	} else if !its {
		return gone()
	}
	if rs.isObserving() {
		return blocked(v1alpha1.DocumentWouldWrite, v1alpha1.ReasonObserved,
			fmt.Sprintf("AWSAccount %q is in mode Observe, so document %q in %s stays, and this object with it; set mode: Enforce to have it cleaned up.", s.account.Name, rs.name, rs.region))
	}
	if f := rs.underWay(); f != nil {
		f.Reason = v1alpha1.ReasonCleaningUp
		return *f
	}
	switch policy := s.Object.DeletionPolicy(); {
	case policy == v1alpha1.DeletionKeep:
		return r.release(ctx, rs, ownTags)
	case policy == v1alpha1.DeletionRestore && at.Adopted != nil:
		return r.restore(ctx, rs)
	default:
		return r.remove(ctx, rs)
	}
}

// absent decides on a document that AWS does not show: it is gone, unless the
// last write is so recent that AWS may show it later.
func (r *Reconciler) absent(rs *regionScope) regionResult {
	if wait := r.Memory.absenceCounts(rs.key()).Sub(r.Clock.Now()); wait > 0 && !rs.isObserving() {
		return waits(v1alpha1.DocumentDeleting, wait, v1alpha1.ReasonCleaningUp,
			fmt.Sprintf("AWS shows no document %q in %s; the operator asks for it once more within a minute, because one that was just made may not show yet.", rs.name, rs.region))
	}
	r.Memory.forgetDocument(rs.key())
	return gone()
}

// orFailed is a result, or that of an error.
func orFailed(f *regionResult, err error) regionResult {
	if err != nil {
		return failed(err)
	}
	return *f
}

// endShares removes shares of a document that is given up: of an adopted one those that the
// operator made, of any other all. It returns nil once they are gone.
func (r *Reconciler) endShares(ctx context.Context, rs *regionScope, all bool) (*regionResult, error) {
	rs.desired.shares = nil
	shares, err := rs.account.SSM(rs.region).DocumentShares(ctx, rs.name)
	if err == nil && !all {
		shares = rs.removable(shares)
	}
	if err == nil {
		err = r.unshare(ctx, rs, shares)
	}
	f, ramErr := r.unshareOrganizations(ctx, rs)
	return f, errors.Join(err, ramErr)
}

// remove deletes the document. AWS deletes none that is shared.
func (r *Reconciler) remove(ctx context.Context, rs *regionScope) regionResult {
	f, err := r.endShares(ctx, rs, true)
	if f != nil || err != nil {
		return orFailed(f, err)
	}
	_, err = r.do(rs, "", func() error { return rs.account.SSM(rs.region).DeleteDocument(ctx, rs.name) })
	switch {
	case awserr.Classify(err) == awserr.Conflict:
		// A share that is not gone everywhere yet, or something under way.
		return rs.stillShared(ctx)
	case err != nil && !ssm.IsNoDocument(err):
		return failed(err)
	}
	r.Memory.wrote(rs.key(), r.Clock.Now(), true)
	ok, err := r.describe(ctx, rs)
	switch {
	case err != nil:
		return failed(err)
	case ok:
		return rs.removing()
	}
	return r.absent(rs)
}

// stillShared reports why AWS does not delete the document: a resource share of another
// owner, or something that ends by itself.
func (rs *regionScope) stillShared(ctx context.Context) regionResult {
	shared, err := rs.account.SSM(rs.region).HasResourcePolicy(ctx, rs.documentARN())
	if err != nil || !shared {
		return rs.removing() // What cannot be read is tried again.
	}
	f := blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonConflict,
		fmt.Sprintf("AWS does not delete document %q in %s while a resource share of AWS RAM that the operator did not make shares it; remove the document from that share, or set deletionPolicy: Keep.", rs.name, rs.region))
	f.RequeueAfter = followDelay
	return f
}

func (rs *regionScope) removing() regionResult {
	return waits(v1alpha1.DocumentDeleting, followDelay, v1alpha1.ReasonCleaningUp, fmt.Sprintf("AWS is deleting document %q in %s.", rs.name, rs.region))
}

// restore restores what was there before the object adopted the document: the shares
// first, then the default version, the ownership tags last.
func (r *Reconciler) restore(ctx context.Context, rs *regionScope) regionResult {
	// The shares end first, whatever becomes of the version.
	if f, err := r.endShares(ctx, rs, false); f != nil || err != nil {
		return orFailed(f, err)
	}
	before := rs.at.Adopted
	f, err := r.promote(ctx, rs, before.DefaultVersion)
	switch {
	case ssm.IsNoDocumentVersion(err):
		return blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonCannotRestore,
			fmt.Sprintf("Version %d of document %q in %s, which was the default before, does not exist any more; set deletionPolicy: Keep or Delete.", before.DefaultVersion, rs.name, rs.region))
	case err != nil:
		return failed(err)
	case f != nil:
		f.Reason = v1alpha1.ReasonCleaningUp
		return *f
	}
	return r.release(ctx, rs, append(slices.Clone(ownTags), rs.Object.Status.TagKeys...))
}

// release takes tags off the document, so that any object can claim it.
func (r *Reconciler) release(ctx context.Context, rs *regionScope, keys []string) regionResult {
	if _, err := r.do(rs, "", func() error { return rs.account.SSM(rs.region).UntagDocument(ctx, rs.name, keys) }); err != nil && !ssm.IsNoDocument(err) {
		return failed(err)
	}
	r.Memory.forgetDocument(rs.key())
	return gone()
}

// stays reports why an object that is being deleted still exists.
func stays(doc *v1alpha1.SessionDocument) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonAccountNotReady,
		"No verified AWSAccount gives access to account %s, so document %q cannot be cleaned up there, and this object stays; see condition Ready of AWSAccount %q, or create it again.", doc.Status.AccountID, doc.Status.Name, doc.AccountName())
}

func cleaningUp(doc *v1alpha1.SessionDocument) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonCleaningUp,
		"Document %q is being cleaned up in AWS.", doc.Status.Name)
}
