package accounts

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// RestoreWindow is how long after its creation an AWSAccount counts as restored:
// by then a restore has brought back the other objects, in whatever order.
const RestoreWindow = time.Hour

// Restored reports whether an AWSAccount was created again by a restore that may
// still be under way.
func Restored(account *v1alpha1.AWSAccount) bool {
	return meta.IsStatusConditionTrue(account.Status.Conditions, v1alpha1.ConditionRestored)
}

// RestoringUntil is when a restore that created an AWSAccount again is over at the latest;
// zero where that has passed. Whether one is under way is known only once the account is
// verified: an object whose record is another's shows it before.
func RestoringUntil(account *v1alpha1.AWSAccount, now time.Time) time.Time {
	if end := account.CreationTimestamp.Add(RestoreWindow); now.Before(end) {
		return end
	}
	return time.Time{}
}

// WithRecord reports whether an AWSAccount was restored with a status that says it
// was in use: its Ready is True since before the object was created.
func WithRecord(account *v1alpha1.AWSAccount) bool {
	ready := meta.FindStatusCondition(account.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.LastTransitionTime.Before(&account.CreationTimestamp)
}

// established reports whether an AWSAccount is known to have been used: it was
// verified, and not merely first among those that a restore brings back.
func established(account *v1alpha1.AWSAccount) bool {
	return account.Status.Identity != nil && (!Restored(account) || WithRecord(account))
}

// excludes reports whether other keeps account from being used. Of two that
// declare one account id, the one that was in use wins. Where neither was, as
// after a restore without status, neither is used: creation times are then those
// of the restore, in any order. Between two that both were in use, age decides.
func excludes(other, account *v1alpha1.AWSAccount) bool {
	switch known, this := established(other), established(account); {
	case known && this:
		return Precedes(other, account)
	case !known && !this:
		return true
	default:
		return known
	}
}

// maxTagValue is how long the value of a tag may be in AWS.
const maxTagValue = 256

// ObjectTag is the value of tag TagObject: the id of the installation, namespace
// and name. A value that would be too long ends in a hash of the whole.
func ObjectTag(owner string, obj client.Object) string {
	whole := owner + "/" + obj.GetNamespace() + "/" + obj.GetName()
	if len(whole) <= maxTagValue {
		return whole
	}
	sum := sha256.Sum256([]byte(whole))
	hash := hex.EncodeToString(sum[:])
	return whole[:maxTagValue-len(hash)-1] + "/" + hash
}
