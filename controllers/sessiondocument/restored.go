package sessiondocument

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// After a restore an object has another UID than the one on its document, perhaps
// no status, and a time of creation that means nothing. The tags in AWS then name the
// document's owner: tag TagObject holds the installation, namespace and name of the
// object, and tag TagAdopted what there was before the object adopted it.

// ownTags are the ownership tags of a document.
var ownTags = []string{uidTag, ownerTag, v1alpha1.TagObject, v1alpha1.TagAdopted}

// tags are those that the document must carry in this region.
func (s *site) tags() map[string]string {
	if s.at.Adopted == nil {
		return s.want.tags
	}
	tags := maps.Clone(s.want.tags)
	tags[v1alpha1.TagAdopted] = strconv.FormatInt(s.at.Adopted.DefaultVersion, 10)
	return tags
}

// holds reports whether the status of an object says that it has its document in
// some region.
func holds(doc *v1alpha1.SessionDocument) bool {
	return slices.ContainsFunc(doc.Status.Regions, func(at v1alpha1.DocumentRegion) bool { return at.Hash != "" })
}

// yields reports whether an object leaves its document to a younger object that has it:
// the older one never had the document itself, and was not refused either. An object that
// was refused takes the document over once it is allowed.
func yields(doc *v1alpha1.SessionDocument) bool {
	if holds(doc) {
		return false
	}
	ready := meta.FindStatusCondition(doc.Status.Conditions, v1alpha1.ConditionReady)
	return ready == nil || !slices.Contains(refusals, ready.Reason)
}

// hadBefore reports whether AWS shows that an object had its document before a
// restore. Where that cannot be read, the older object keeps it.
func (r *Reconciler) hadBefore(ctx context.Context, p *pass) bool {
	for _, region := range p.want.regions {
		listed, err := r.Memory.lists.Get(ctx, p.account, region)
		if err != nil {
			log.FromContext(ctx).Info("Whose a document was cannot be read", "region", region, "error", err.Error())
			continue
		}
		tags := listed.documents[p.want.name].Tags
		if tags[ownerTag] == r.OwnerID && tags[v1alpha1.TagObject] == p.want.tags[v1alpha1.TagObject] {
			return true
		}
	}
	return false
}

// leftToRival is the finding where the document must be made again in a region that
// an older object declares as well; nil elsewhere.
func (s *site) leftToRival() *finding {
	if s.rival == nil || len(s.rival.Spec.Regions) > 0 && !slices.Contains(s.rival.Spec.Regions, s.at.Region) {
		return nil
	}
	return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonConflict,
		fmt.Sprintf("Document %q in %s does not exist, and %s is older and declares it as well; delete one of the two objects.", s.name, s.region, queue.Named("SessionDocument", s.rival))))
}

// claimLost decides about a document of this installation whose UID is no
// object's any more. The object that its tag names takes it back without adopt.
// Another one does not get it, not even with adopt: the one that is named may be
// restored yet. A document without such a tag was made by an earlier version.
func (r *Reconciler) claimLost(ctx context.Context, s *site, others []v1alpha1.SessionDocument) (*finding, error) {
	switch was := s.latest.Tags[v1alpha1.TagObject]; was {
	case accounts.ObjectTag(r.OwnerID, s.doc):
		return nil, r.takeBack(ctx, s)
	case "":
		if known, err := s.asRecorded(ctx); known || err != nil {
			return nil, err
		}
		return r.adopt(ctx, s, "belonged to a SessionDocument that is gone")
	default:
		remedy := fmt.Sprintf("which is gone. Create that object again, or remove the tags %s from the document and set adopt: true", strings.Join(ownTags, ", "))
		if slices.ContainsFunc(others, func(other v1alpha1.SessionDocument) bool { return accounts.ObjectTag(r.OwnerID, &other) == was }) {
			remedy = "which declares it. Delete that object, or give this one another name in a new object"
		}
		return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonConflict,
			fmt.Sprintf("Document %q in %s belongs to SessionDocument %s, %s.", s.name, s.region, strings.TrimPrefix(was, r.OwnerID+"/"), remedy))), nil
	}
}

// takeBack records what was there before the document was first adopted, and records an
// event: a restored object has its document again.
func (r *Reconciler) takeBack(ctx context.Context, s *site) error {
	version, err := strconv.ParseInt(s.latest.Tags[v1alpha1.TagAdopted], 10, 64)
	if err == nil && version > 0 && s.at.Adopted == nil {
		s.at.Adopted = &v1alpha1.AdoptedDocument{DefaultVersion: version}
		if err := r.persistUnlessObserving(ctx, s); err != nil {
			return err
		}
	}
	if s.observing() {
		return nil
	}
	log.FromContext(ctx).Info("Taking back the document of a restored object", "document", s.name, "region", s.region)
	reconcile.Announce(r.Recorder, s.doc, reconcile.Verdict{
		Reason:  v1alpha1.ReasonRestored,
		Message: fmt.Sprintf("Document %q in %s was kept by an earlier %s, and is kept by this one now. What is declared is put back, its shares included.", s.name, s.region, queue.Named("SessionDocument", client.Object(s.doc))),
	})
	return nil
}
