package awsaccount

import (
	"slices"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// restores remembers, by the UID of an AWSAccount, whether IAM held policies of
// this installation before the object was verified first. The zero value is ready.
type restores struct {
	mu    sync.Mutex
	found map[types.UID]bool
}

// note sets condition Restored while a restore may be under way. ours is how many
// policies of this installation IAM holds.
//
// lived reports whether the object was verified before this process began.
func (r *restores) note(account *v1alpha1.AWSAccount, lived bool, ours int, now time.Time) {
	message := ""
	if r.foundFirst(account, lived, ours) && now.Before(account.CreationTimestamp.Add(accounts.RestoreWindow)) {
		message = "IAM held policies of this installation before this AWSAccount was verified first, as after a restore. For an hour after the creation of this object no orphaned policy is removed, so that the SessionAccesses can be restored after it."
	}
	reconcile.SetConditionWhile(&account.Status.Conditions, account.Generation, v1alpha1.ConditionRestored, v1alpha1.ReasonPoliciesFound, message)
}

// foundFirst decides once for each object.
func (r *restores) foundFirst(account *v1alpha1.AWSAccount, lived bool, ours int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, known := r.found[account.UID]; known {
		return found
	}
	if r.found == nil {
		r.found = map[types.UID]bool{}
	}
	r.found[account.UID] = ours > 0 && !lived
	return r.found[account.UID]
}

// livedBefore reports whether an object was verified in its own life: its status
// says so, and was not written by a restore.
func livedBefore(account *v1alpha1.AWSAccount) bool {
	return account.Status.Identity != nil && !predates(account) && !accounts.Restored(account)
}

// predates reports whether the status of an object is older than the object: a
// restore wrote it.
func predates(account *v1alpha1.AWSAccount) bool {
	return slices.ContainsFunc(account.Status.Conditions, func(c metav1.Condition) bool {
		return c.LastTransitionTime.Before(&account.CreationTimestamp)
	})
}

// awaited reports whether orphans are left alone because their SessionAccesses may
// still be restored. Who confirms their number does not wait.
func awaited(account *v1alpha1.AWSAccount, orphans int) bool {
	return accounts.Restored(account) && account.Annotations[v1alpha1.AnnotationConfirmRemoval] != strconv.Itoa(orphans)
}
