package sessiondocument

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// claim is the owner of a document in AWS.
type claim int

const (
	// ours: it carries the uid of the object.
	ours claim = iota
	// free: it carries no tag of any installation.
	free
	// ofObject: it carries the uid of another object of this installation.
	ofObject
	// ofInstallation: it carries the id of another installation.
	ofInstallation
)

// claimOf reads the tags of a document. other is the uid of the object, or the id of the
// installation, that owns it.
func claimOf(tags map[string]string, uid types.UID, owner string) (c claim, other string) {
	switch has, by := tags[uidTag], tags[ownerTag]; {
	case has == string(uid):
		return ours, ""
	case by != "" && by != owner:
		return ofInstallation, by
	case has != "":
		return ofObject, has
	default:
		return free, ""
	}
}

// olderClaim finds an older object that declares the same document. Of several the oldest
// has it, regardless of whose document was sent to AWS first.
func (r *Reconciler) olderClaim(ctx context.Context, s *scope) (*v1alpha1.SessionDocument, error) {
	others, err := r.claimants(ctx, s.Object)
	if err != nil {
		return nil, err
	}
	for i := range others {
		other := &others[i]
		if precedes(other, s.Object) && !refused(other) && overlaps(other, s) {
			return other, nil
		}
	}
	return nil, nil
}

// claimants are the other objects that declare a document of the same name in
// the same account.
func (r *Reconciler) claimants(ctx context.Context, doc *v1alpha1.SessionDocument) ([]v1alpha1.SessionDocument, error) {
	var all v1alpha1.SessionDocumentList
	if err := r.Client.List(ctx, &all, queue.OfAccountName(doc.AccountName())); err != nil {
		return nil, fmt.Errorf("list the SessionDocuments of AWSAccount %q: %w", doc.AccountName(), err)
	}
	return slices.DeleteFunc(all.Items, func(other v1alpha1.SessionDocument) bool {
		return other.UID == doc.UID || other.DocumentName() != doc.DocumentName()
	}), nil
}

// precedes orders by age, and by name among those of one second. One that never
// had the document does not win it from one that has it by its age: after a
// restore the times of creation are in any order.
func precedes(a, b *v1alpha1.SessionDocument) bool {
	switch {
	case holds(a) && yields(b):
		return true
	case holds(b) && yields(a):
		return false
	}
	return accounts.Precedes(a, b)
}

// refused reports whether an object is not allowed to have a document, as of its last
// decision. An edit alone changes nothing about that: else a tenant that edits an object
// that is refused could take the document from another for a moment, and with it the
// access that is granted on it. An object keeps what it had before, and that counts.
func refused(doc *v1alpha1.SessionDocument) bool {
	return isRefused(doc) && len(doc.Status.Regions) == 0
}

// isRefused reports whether the last decision on an object was that it is not allowed to
// have a document.
func isRefused(doc *v1alpha1.SessionDocument) bool {
	return admission.IsRefused(doc.Status.Conditions, v1alpha1.ReasonInvalidSpec)
}

// overlaps reports whether another object declares, or has, the document in one of
// the same regions.
func overlaps(other *v1alpha1.SessionDocument, s *scope) bool {
	if len(other.Spec.Regions) == 0 {
		return true // In all of the account's.
	}
	return slices.ContainsFunc(s.desired.regions, func(region v1alpha1.Region) bool {
		return slices.Contains(other.Spec.Regions, region) ||
			slices.ContainsFunc(other.Status.Regions, func(at v1alpha1.DocumentRegion) bool { return at.Region == region })
	})
}
