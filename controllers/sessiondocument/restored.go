package sessiondocument

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
var ownTags = []string{uidTag, ownerTag, v1alpha1.TagObject, v1alpha1.TagAdopted, v1alpha1.TagShared}

// tags are those that the document must carry in this region.
func (rs *regionScope) tags() map[string]string {
	if rs.at.Adopted == nil {
		return rs.desired.tags
	}
	tags := maps.Clone(rs.desired.tags)
	tags[v1alpha1.TagAdopted] = strconv.FormatInt(rs.at.Adopted.DefaultVersion, 10)
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
	return !holds(doc) && !isRefused(doc)
}

// hadBefore reports whether AWS shows that an object had its document before a
// restore. Where that cannot be read, the older object keeps it.
func (r *Reconciler) hadBefore(ctx context.Context, s *scope) bool {
	for _, region := range s.desired.regions {
		listed, err := r.Memory.lists.Get(ctx, s.account, region)
		if err != nil {
			log.FromContext(ctx).Info("Whose a document was cannot be read", "region", region, "error", err.Error())
			continue
		}
		tags := listed.documents[s.desired.name].Tags
		if tags[ownerTag] == r.OwnerID && tags[v1alpha1.TagObject] == s.desired.tags[v1alpha1.TagObject] {
			return true
		}
	}
	return false
}

// leftToRival is the result where the document must be made again in a region that
// an older object declares as well; nil elsewhere.
func (rs *regionScope) leftToRival() *regionResult {
	if rs.rival == nil || len(rs.rival.Spec.Regions) > 0 && !slices.Contains(rs.rival.Spec.Regions, rs.at.Region) {
		return nil
	}
	return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonConflict,
		fmt.Sprintf("Document %q in %s does not exist, and %s is older and declares it as well; delete one of the two objects.", rs.name, rs.region, queue.Named("SessionDocument", rs.rival))))
}

// claimLost decides about a document of this installation whose UID is no
// object's any more. The object that its tag names takes it back without adopt.
// Another one does not get it, not even with adopt: the one that is named may be
// restored yet. A document without such a tag was made by an earlier version.
func (r *Reconciler) claimLost(ctx context.Context, rs *regionScope, others []v1alpha1.SessionDocument) (*regionResult, error) {
	switch was := rs.latest.Tags[v1alpha1.TagObject]; was {
	case accounts.ObjectTag(r.OwnerID, rs.Object):
		return nil, r.takeBack(ctx, rs)
	case "":
		if known, err := rs.asRecorded(ctx); known || err != nil {
			return nil, err
		}
		return r.adopt(ctx, rs, "belonged to a SessionDocument that is gone")
	default:
		remedy := fmt.Sprintf("which is gone. Create that object again, or remove the tags %s from the document and set adopt: true", strings.Join(ownTags, ", "))
		if slices.ContainsFunc(others, func(other v1alpha1.SessionDocument) bool { return accounts.ObjectTag(r.OwnerID, &other) == was }) {
			remedy = "which declares it. Delete that object, or give this one another name in a new object"
		}
		return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonConflict,
			fmt.Sprintf("Document %q in %s belongs to SessionDocument %s, %s.", rs.name, rs.region, strings.TrimPrefix(was, r.OwnerID+"/"), remedy))), nil
	}
}

// takeBack records what was there before the document was first adopted, and records an
// event: a restored object has its document again.
func (r *Reconciler) takeBack(ctx context.Context, rs *regionScope) error {
	version, err := strconv.ParseInt(rs.latest.Tags[v1alpha1.TagAdopted], 10, 64)
	if err == nil && version > 0 && rs.at.Adopted == nil {
		rs.at.Adopted = &v1alpha1.AdoptedDocument{DefaultVersion: version}
		if err := r.persistUnlessObserving(ctx, rs); err != nil {
			return err
		}
	}
	if rs.isObserving() {
		return nil
	}
	log.FromContext(ctx).Info("Taking back the document of a restored object", "document", rs.name, "region", rs.region)
	reconcile.RecordEvent(r.Recorder, rs.Object, reconcile.Readyf(v1alpha1.ReasonRestored,
		"Document %q in %s was kept by an earlier %s, and is kept by this one now. What is declared is put back, its shares included.", rs.name, rs.region, queue.Named("SessionDocument", client.Object(rs.Object))))
	return nil
}
