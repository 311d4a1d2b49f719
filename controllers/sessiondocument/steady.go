package sessiondocument

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// steady reports whether an object that was found in the desired state still is, by what
// a list of each region shows. The content of a version never changes, so its number and
// the tags are enough. steady is false where the object or its account changed, or when
// it is time to read the document whole: a list shows no shares.
func (r *Reconciler) steady(ctx context.Context, p *pass) bool {
	if !v1alpha1.IsOwnRecord(p.doc.Status.UID, p.doc) {
		return false
	}
	known, ok := r.Memory.get(p.doc.UID)
	if !ok {
		if known, ok = r.trustStatus(p); !ok {
			return false
		}
	}
	if known.generation != p.doc.Generation || known.accountGeneration != p.account.Generation ||
		!maps.Equal(known.annotations, p.doc.Annotations) || !r.Clock.Now().Before(known.deep) ||
		len(p.doc.Status.Regions) != len(p.want.regions) {
		return false
	}
	for i := range p.doc.Status.Regions {
		at := &p.doc.Status.Regions[i]
		listed, err := r.Memory.lists.Get(ctx, p.account, at.Region)
		if err != nil {
			// The whole pass meets the same, or does without at a higher cost.
			log.FromContext(ctx).Info("The documents of a region cannot be listed, so each is read", "region", at.Region, "error", err.Error())
			return false
		}
		if listed.begun.Before(known.read) {
			continue // What this process saw itself is newer.
		}
		found, ok := listed.documents[p.want.name]
		if !ok || !asListed(p, at, found) || !known.sameDocument(at.Region, found) {
			return false
		}
	}
	return true
}

// asListed reports whether a list shows nothing but what is wanted.
func asListed(p *pass, at *v1alpha1.DocumentRegion, found cloud.ListedDocument) bool {
	if found.Default != at.DefaultVersion || !p.want.in(at.Region) {
		return false
	}
	for key, value := range p.want.tags {
		if is, ok := found.Tags[key]; !ok || is != value {
			return false
		}
	}
	return true
}

// sameDocument reports whether it is the document that the list showed before, and
// not another one of that name. The first list is taken for granted.
func (s settled) sameDocument(region v1alpha1.Region, found cloud.ListedDocument) bool {
	before, ok := s.created[region]
	s.created[region] = found.Created
	return !ok || before.Equal(found.Created)
}

// trustStatus takes an object for settled after a start, where its status says
// that it was. It is read whole some time in the next interval.
func (r *Reconciler) trustStatus(p *pass) (settled, bool) {
	ready := meta.FindStatusCondition(p.doc.Status.Conditions, v1alpha1.ConditionReady)
	if !r.Memory.isNew(p.doc.UID) || ready == nil || ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != p.doc.Generation {
		return settled{}, false
	}
	for _, at := range p.doc.Status.Regions {
		if at.State != v1alpha1.DocumentActive || at.DefaultVersion == 0 {
			return settled{}, false
		}
	}
	start := r.Memory.started
	return r.Memory.put(p, start, start.Add(spread(p.doc.UID))), true
}
