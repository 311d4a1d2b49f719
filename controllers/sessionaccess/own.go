package sessionaccess

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// A record names the object that it was written for. One that names another object
// came from a backup: the current guardrails have not been applied to it. It can still be
// revoked and still covers sessions, and what IAM holds of it stays, but it grants nothing.
// Once its object is decided on, the record names that object.

// decided reports whether a judgement makes a record the object's own. While the
// spec waits for something, a restored record stays another object's.
func (j judgement) decided(record *v1alpha1.AppliedAccess) bool {
	return record == nil || !j.waiting
}

// ownRecord is a record as the object's own. Since when it is declared stays as it
// was recorded first.
func ownRecord(access *v1alpha1.SessionAccess, record *v1alpha1.AppliedAccess) *v1alpha1.AppliedAccess {
	if record == nil || record.UID == string(access.UID) && record.DeclaredAt != nil {
		return record
	}
	own := record.DeepCopy()
	own.UID = string(access.UID)
	if own.DeclaredAt == nil {
		own.DeclaredAt = access.CreationTimestamp.DeepCopy()
	}
	return own
}

// ownRecords are the next records of an object, its own once it is decided on. The
// last one, which must take no more room than what is stored, is not marked where
// the record of an earlier version is not.
func ownRecords(access *v1alpha1.SessionAccess, j judgement, now time.Time) []*v1alpha1.AppliedAccess {
	record := access.Status.Applied
	all := nextRecords(record, j, access.Generation, now)
	for i, next := range all {
		grows := i == len(all)-1 && record != nil && record.UID == ""
		if next != record && j.decided(record) && !grows {
			all[i] = ownRecord(access, next)
		}
	}
	return all
}

// marked is the record of an earlier version as the object's own, where there is
// room for that.
func marked(access *v1alpha1.SessionAccess, record *v1alpha1.AppliedAccess) *v1alpha1.AppliedAccess {
	if record == nil || record.UID != "" {
		return record
	}
	if own := ownRecord(access, record); sizeWith(access, own) <= reconcile.MaxObject-statusReserve {
		return own
	}
	return record
}

// takeOver stores a restored record as the object's own, where the judgement asks
// for the same access. The serial and the conditions stay: an object without an
// outcome keeps its status. taken reports that it was stored.
func (r *Reconciler) takeOver(ctx context.Context, access *v1alpha1.SessionAccess, j judgement) (taken bool, err error) {
	record := access.Status.Applied
	if record == nil || reconcile.Own(record.UID, access) || !j.decided(record) {
		return false, nil
	}
	if err := reconcile.EnsureFinalizer(ctx, r.Client, access); err != nil {
		return false, err
	}
	before := access.DeepCopy()
	access.Status.Applied = ownRecord(access, record)
	log.FromContext(ctx).Info("Granting what a restored record says", "recordedFor", record.UID)
	_, err = reconcile.WriteStatus(ctx, r.Client, before, access)
	return true, err
}
