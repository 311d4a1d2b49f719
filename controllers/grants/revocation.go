package grants

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

const (
	// MaxEnding bounds the sessions that one revocation ends at once, as the API bounds the
	// ids that its status lists.
	MaxEnding = 500
	// maxEndingPending is less: the status of an AWSAccount has a list for each of its
	// pending revocations.
	maxEndingPending = 10
)

// Revocation is access that is being revoked. A SessionAccess that is being deleted or
// was narrowed converts to it by [RevocationOf], and an AWSAccount with pending
// revocations by [PendingRevocations]. The caller that continues a revocation writes
// Status and Granted back to the object: both may change.
type Revocation struct {
	Record
	// Lost are the grants that are revoked: all on record if Deleting, and the former ones
	// otherwise.
	Lost []v1alpha1.ResolvedGrant
	// Status reports the progress; nil before the revocation begins.
	Status *v1alpha1.RevocationStatus
	// AccountName is the AWSAccount that the SessionAccess names, or that has the pending
	// revocation.
	AccountName string
	// EndsSessions: the SessionAccess declares that open sessions end, whatever it declared
	// when its grants were made.
	EndsSessions bool
	// WasGranted: Deleting, and some principal had the access.
	WasGranted bool
	// CanBeTakenOver: the permission stays while the operator has not decided on a
	// SessionAccess that may grant the same. The time for that is bounded.
	CanBeTakenOver bool
	// EndsAtOnce bounds the sessions that are ended at once. The next step ends the rest.
	EndsAtOnce int
}

// RevocationOf returns what a SessionAccess loses. The status is shared with the object.
func RevocationOf(access *v1alpha1.SessionAccess) Revocation {
	record, _ := RecordOf(access)
	r := Revocation{
		Record: record, Lost: record.Former, Status: access.Status.Revocation,
		AccountName:  access.AccountName(),
		EndsSessions: access.Spec.OnRevoke == v1alpha1.RevokeTerminateSessions,
		EndsAtOnce:   MaxEnding,
	}
	if record.Deleting {
		r.Lost, r.WasGranted = record.All(), slices.ContainsFunc(access.Status.Principals, func(p v1alpha1.PrincipalStatus) bool {
			return p.State == v1alpha1.PrincipalGranted
		})
	}
	return r
}

// StatusSerial is the serial in the status of this revocation, which distinguishes it from
// an earlier one of the same SessionAccess: every loss increases the serial of the record,
// and a deletion is one more loss.
func (r *Revocation) StatusSerial() int64 {
	if r.Deleting {
		return r.Serial + 1
	}
	return r.Serial
}

// InAccount is the part of the revocation in one account id.
func (r *Revocation) InAccount(id string) Revocation {
	part := *r
	part.Lost = InAccount(r.Lost, id)
	return part
}

// InAccount picks the grants of one account id.
func InAccount(grants []v1alpha1.ResolvedGrant, id string) []v1alpha1.ResolvedGrant {
	return slices.DeleteFunc(slices.Clone(grants), func(g v1alpha1.ResolvedGrant) bool { return g.AccountID != id })
}

// Pending is the revocation as an AWSAccount records it when the SessionAccess is released
// without AWS. Whether open sessions end is written into the grants: the spec, which
// declares it too, no longer exists afterwards.
func (r *Revocation) Pending(now metav1.Time) v1alpha1.PendingRevocation {
	item := v1alpha1.PendingRevocation{
		UID: string(r.UID), Namespace: r.Origin.Namespace, Name: r.Origin.Name, Serial: r.Serial, ForcedAt: now,
		Grants: r.Lost, Revocation: r.Status.DeepCopy(),
	}
	if r.EndsSessions {
		item.Grants = slices.Clone(r.Lost)
		for i := range item.Grants {
			item.Grants[i].OnRevoke = v1alpha1.RevokeTerminateSessions
		}
	}
	return item
}
