package grants

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Kinds of objects whose status has records.
const (
	KindSessionAccess = "SessionAccess"
	KindAWSAccount    = "AWSAccount"
)

// Holder names an object whose status has records: a SessionAccess, or an AWSAccount
// with pending revocations.
type Holder struct {
	Kind string
	types.NamespacedName
}

// Record is the recorded access of one SessionAccess, in its own status or as a pending
// revocation in that of its AWSAccount. Its grants belong to the object that it was read
// from, and must not be changed.
type Record struct {
	// UID of the SessionAccess.
	UID types.UID
	// Origin names the SessionAccess. It no longer exists where an AWSAccount has the
	// record.
	Origin types.NamespacedName
	// Object is the SessionAccess or AWSAccount that has the record.
	Object client.Object
	// Serial of the record, which distinguishes it from earlier ones.
	Serial int64
	// DeclaredAt is when the access was declared, for the order of age.
	DeclaredAt time.Time
	// Deleting: the operator revokes everything on record, because the SessionAccess is
	// being deleted or no longer exists.
	Deleting bool
	// Released: the SessionAccess is being deleted, and only another controller's finalizer
	// keeps it. The operator removed its own once nothing was left of the record, or a user
	// did.
	Released bool
	// HeldOnly: whether the access is allowed is not decided yet. The record adds nothing,
	// and what IAM holds of it stays.
	HeldOnly bool
	// Granted is the current grant; nil where there is none.
	Granted *v1alpha1.ResolvedGrant
	// Former are the grants that are being revoked.
	Former []v1alpha1.ResolvedGrant
}

// RecordOf returns the record of a SessionAccess. It is false where the object has none;
// the result then has the identity of the object only.
func RecordOf(access *v1alpha1.SessionAccess) (Record, bool) {
	r := Record{
		UID: access.UID, Origin: client.ObjectKeyFromObject(access), Object: access,
		DeclaredAt: access.CreationTimestamp.Time, Deleting: !access.DeletionTimestamp.IsZero(),
	}
	r.Released = r.Deleting && !controllerutil.ContainsFinalizer(access, v1alpha1.Finalizer)
	applied := access.Status.Applied
	if applied == nil {
		return r, false
	}
	// After a restore, the creation of the object is that of the restore.
	if applied.DeclaredAt != nil {
		r.DeclaredAt = applied.DeclaredAt.Time
	}
	r.Serial, r.HeldOnly = applied.Serial, !v1alpha1.IsOwnRecord(applied.UID, access)
	r.Granted, r.Former = applied.Granted, applied.Revoking
	return r, true
}

// RecordsOf returns the records of those SessionAccesses that have one.
func RecordsOf(accesses []v1alpha1.SessionAccess) []Record {
	records := make([]Record, 0, len(accesses))
	for i := range accesses {
		if r, ok := RecordOf(&accesses[i]); ok {
			records = append(records, r)
		}
	}
	return records
}

// Holder names the object that has the record.
func (r *Record) Holder() Holder {
	holder := Holder{Kind: KindSessionAccess, NamespacedName: client.ObjectKeyFromObject(r.Object)}
	if _, ok := r.Object.(*v1alpha1.AWSAccount); ok {
		holder.Kind = KindAWSAccount
	}
	return holder
}

// IsRevoking reports whether the record waits for proof that access is gone.
func (r *Record) IsRevoking() bool { return !r.Released && (r.Deleting || len(r.Former) > 0) }

// Keys lists every principal that the record names, granted or being revoked, each once
// and in a stable order.
func (r *Record) Keys() []PrincipalKey { return keysOf(r.Granted, r.Former) }

// All lists every grant on record, the current one last, as far as AWS was asked to allow
// it.
func (r *Record) All() []v1alpha1.ResolvedGrant {
	all := slices.Clone(r.Former)
	if g := WithoutUngranted(r.Granted); g != nil {
		all = append(all, *g)
	}
	return all
}
