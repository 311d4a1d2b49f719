package sessiondocument

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// steady reports whether an object that was found in the desired state still is, by what
// a list of each region shows. The content of a version never changes, so its number and
// the tags are enough. steady is false where the object or its account changed, or when
// it is time to read the document whole: a list shows no shares.
func (r *Reconciler) steady(ctx context.Context, s *scope) bool {
	if !v1alpha1.IsOwnRecord(s.Object.Status.UID, s.Object) {
		return false
	}
	known, ok := r.Memory.get(s.Object.UID)
	if !ok {
		if known, ok = r.trustStatus(s); !ok {
			return false
		}
	}
	if known.generation != s.Object.Generation || known.accountGeneration != s.account.Generation ||
		!maps.Equal(known.annotations, s.Object.Annotations) || !r.Clock.Now().Before(known.deep) ||
		len(s.Object.Status.Regions) != len(s.desired.regions) {
		return false
	}
	for i := range s.Object.Status.Regions {
		at := &s.Object.Status.Regions[i]
		listed, err := r.Memory.lists.Get(ctx, s.account, at.Region)
		if err != nil {
			// The whole reconcile meets the same, or does without at a higher cost.
			log.FromContext(ctx).Info("The documents of a region cannot be listed, so each is read", "region", at.Region, "error", err.Error())
			return false
		}
		if listed.begun.Before(known.read) {
			continue // What this process saw itself is newer.
		}
		found, ok := listed.documents[s.desired.name]
		if !ok || !asListed(s, at, found) || !known.sameDocument(at.Region, found) {
			return false
		}
	}
	return true
}

// asListed reports whether a list shows nothing but what is desired.
func asListed(s *scope, at *v1alpha1.DocumentRegion, found ssm.ListedDocument) bool {
	if found.Default != at.DefaultVersion || !s.desired.in(at.Region) {
		return false
	}
	for key, value := range s.desired.tags {
		if is, ok := found.Tags[key]; !ok || is != value {
			return false
		}
	}
	return true
}

// sameDocument reports whether it is the document that the list showed before, and
// not another one of that name. The first list is taken for granted.
func (s settled) sameDocument(region v1alpha1.Region, found ssm.ListedDocument) bool {
	before, ok := s.created[region]
	s.created[region] = found.Created
	return !ok || before.Equal(found.Created)
}

// trustStatus takes an object for settled after a start, where its status says
// that it was. It is read whole some time in the next interval.
func (r *Reconciler) trustStatus(s *scope) (settled, bool) {
	ready := meta.FindStatusCondition(s.Object.Status.Conditions, v1alpha1.ConditionReady)
	if !r.Memory.isNew(s.Object.UID) || ready == nil || ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != s.Object.Generation {
		return settled{}, false
	}
	for _, at := range s.Object.Status.Regions {
		if at.State != v1alpha1.DocumentActive || at.DefaultVersion == 0 {
			return settled{}, false
		}
	}
	start := r.Memory.started
	return r.Memory.put(s, start, start.Add(spread(s.Object.UID))), true
}
