package sessiondocument

import (
	"context"
	"fmt"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// gone is the finding on a region where nothing is left to clean up.
func gone() finding { return finding{} }

func (f finding) isGone() bool { return f.state == "" && f.err == nil }

// leaveRegions cleans up in the regions that are no longer declared, and strikes
// off the record those where it is done.
func (r *Reconciler) leaveRegions(ctx context.Context, p *pass, all *findings) {
	var left []v1alpha1.Region
	for i := range p.doc.Status.Regions {
		at := &p.doc.Status.Regions[i]
		if p.want.in(at.Region) {
			continue
		}
		f := r.cleanUp(ctx, p, at)
		if f.isGone() {
			left = append(left, at.Region)
			continue
		}
		all.add(at, f)
	}
	p.doc.Status.Regions = slices.DeleteFunc(p.doc.Status.Regions, func(at v1alpha1.DocumentRegion) bool { return slices.Contains(left, at.Region) })
}

// cleanUp does with the document of a region what onDelete says. A document that
// is not the object's is left alone.
func (r *Reconciler) cleanUp(ctx context.Context, p *pass, at *v1alpha1.DocumentRegion) finding {
	s := p.site(at)
	ok, err := r.describe(ctx, s)
	switch {
	case err != nil:
		return failed(err)
	case !ok:
		return r.absent(s)
	}
	if its, err := r.isOurs(ctx, s); err != nil {
		return failed(err)
	} else if !its {
		return gone()
	}
	if s.observing() {
		return blocked(v1alpha1.DocumentWouldWrite, v1alpha1.ReasonObserved,
			fmt.Sprintf("AWSAccount %q is in mode Observe, so document %q in %s stays, and this object with it; set mode: Enforce to have it cleaned up.", p.account.Name, s.name, s.region))
	}
	if f := s.underWay(); f != nil {
		f.Reason = v1alpha1.ReasonCleaningUp
		return *f
	}
	switch policy := p.doc.Spec.OnDelete; {
	case policy == v1alpha1.DocumentKeep:
		return r.release(ctx, s, ownTags)
	case policy == v1alpha1.DocumentRestore && at.Adopted != nil:
		return r.restore(ctx, s)
	default:
		return r.remove(ctx, s)
	}
}

// absent decides on a document that AWS does not show: it is gone, unless the
// last write is so recent that AWS may show it later.
func (r *Reconciler) absent(s *site) finding {
	if wait := r.Memory.absenceCounts(s.key()).Sub(r.Clock.Now()); wait > 0 && !s.observing() {
		return waits(v1alpha1.DocumentDeleting, wait, v1alpha1.ReasonCleaningUp,
			fmt.Sprintf("AWS shows no document %q in %s; it is looked for once more within a minute, because one that was just made may not show yet.", s.name, s.region))
	}
	r.Memory.forgetDocument(s.key())
	return gone()
}

// remove deletes the document. AWS deletes none that is shared.
func (r *Reconciler) remove(ctx context.Context, s *site) finding {
	shares, err := s.account.Cloud.DocumentShares(ctx, s.region, s.name)
	if err == nil {
		err = r.unshare(ctx, s, shares)
	}
	if err == nil {
		_, err = r.do(s, "", func() error { return s.account.Cloud.DeleteDocument(ctx, s.region, s.name) })
	}
	switch {
	case cloud.Classify(err) == cloud.Conflict:
		// A share that is not gone everywhere yet, or something under way.
		return s.removing()
	case err != nil && !cloud.NoDocument(err):
		return failed(err)
	}
	r.Memory.wrote(s.key(), r.Clock.Now(), true)
	ok, err := r.describe(ctx, s)
	switch {
	case err != nil:
		return failed(err)
	case ok:
		return s.removing()
	}
	return r.absent(s)
}

func (s *site) removing() finding {
	return waits(v1alpha1.DocumentDeleting, followDelay, v1alpha1.ReasonCleaningUp, fmt.Sprintf("AWS is deleting document %q in %s.", s.name, s.region))
}

// restore restores what was there before the object adopted the document: the default
// version first, the ownership tags last.
func (r *Reconciler) restore(ctx context.Context, s *site) finding {
	before := s.at.Adopted
	f, err := r.promote(ctx, s, before.DefaultVersion)
	switch {
	case cloud.NoDocumentVersion(err):
		return blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonCannotRestore,
			fmt.Sprintf("Version %d of document %q in %s, which was the default before, does not exist any more; set onDelete: Keep or Delete.", before.DefaultVersion, s.name, s.region))
	case err != nil:
		return failed(err)
	case f != nil:
		f.Reason = v1alpha1.ReasonCleaningUp
		return *f
	}
	shares, err := s.account.Cloud.DocumentShares(ctx, s.region, s.name)
	if err == nil {
		s.want.shares = nil
		err = r.unshare(ctx, s, s.removable(shares))
	}
	if err != nil {
		return failed(err)
	}
	return r.release(ctx, s, append(slices.Clone(ownTags), s.doc.Status.TagKeys...))
}

// release takes tags off the document, so that any object can claim it.
func (r *Reconciler) release(ctx context.Context, s *site, keys []string) finding {
	if _, err := r.do(s, "", func() error { return s.account.Cloud.UntagDocument(ctx, s.region, s.name, keys) }); err != nil && !cloud.NoDocument(err) {
		return failed(err)
	}
	r.Memory.forgetDocument(s.key())
	return gone()
}
