package accounttier

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// needing lists the SessionAccesses that target hybrid nodes in a region of the
// account: those that are granted, or will be. In a stable order.
func (r *Reconciler) needing(ctx context.Context, account *v1alpha1.AWSAccount, region v1alpha1.Region) ([]string, error) {
	var names []string
	for _, option := range []client.ListOption{queue.OfAccountID(account.Spec.AccountID), queue.OfAccountName(account.Name)} {
		var all v1alpha1.SessionAccessList
		if err := r.Client.List(ctx, &all, option, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list the SessionAccesses of AWSAccount %q: %w", account.Name, err)
		}
		for i := range all.Items {
			access := &all.Items[i]
			if !r.needs(access, account, region) {
				continue
			}
			mayGrant, err := r.mayGrant(ctx, access)
			if err != nil {
				return nil, err
			}
			if mayGrant {
				names = append(names, queue.Named("SessionAccess", access))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// mayGrant reports whether a SessionAccess grants something, or may: nothing of one without a
// grant on record is granted while the platform does not allow it.
func (r *Reconciler) mayGrant(ctx context.Context, access *v1alpha1.SessionAccess) (bool, error) {
	if record := access.Status.Applied; record != nil && (record.Granted != nil || len(record.Revoking) > 0) {
		return true, nil
	}
	allowed, err := accounts.Gather(ctx, r.Client, access.AccountName(), access.Namespace)
	return allowed.IsOpen(), err
}

// needs reports whether a SessionAccess targets hybrid nodes in the region: by its
// record, and by its spec where nothing is recorded yet. One that is being deleted
// needs the tier until its permission is gone. The last search for its sessions does
// not need the tier.
func (r *Reconciler) needs(access *v1alpha1.SessionAccess, account *v1alpha1.AWSAccount, region v1alpha1.Region) bool {
	if record := access.Status.Applied; record != nil && record.Granted != nil {
		return !permissionGone(access) && record.Granted.AccountID == account.Spec.AccountID &&
			slices.Contains(admission.HybridRegions(record.Granted), region)
	}
	spec := &access.Spec
	if !access.DeletionTimestamp.IsZero() || access.AccountName() != account.Name ||
		(spec.NotAfter != nil && !r.Clock.Now().Before(spec.NotAfter.Time)) {
		return false
	}
	if len(spec.Regions) > 0 && !slices.Contains(spec.Regions, region) {
		return false
	}
	return declaresHybrid(spec)
}

func declaresHybrid(spec *v1alpha1.SessionAccessSpec) bool {
	return slices.ContainsFunc(spec.Targets, func(t v1alpha1.Target) bool {
		return t.ActivationRef != nil || admission.HybridIDs(t.InstanceIDs)
	})
}

// onHybridNodes selects the SessionAccesses that may need a tier, or did: there are many
// SessionAccesses, and most need none.
func onHybridNodes() predicate.Predicate {
	may := func(obj client.Object) bool {
		access := obj.(*v1alpha1.SessionAccess)
		return declaresHybrid(&access.Spec) || (access.Status.Applied != nil && len(admission.HybridRegions(access.Status.Applied.Granted)) > 0)
	}
	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return may(e.Object) },
		UpdateFunc:  func(e event.UpdateEvent) bool { return may(e.ObjectOld) || may(e.ObjectNew) },
		DeleteFunc:  func(e event.DeleteEvent) bool { return may(e.Object) },
		GenericFunc: func(e event.GenericEvent) bool { return may(e.Object) },
	}
}

// permissionGone reports whether no policy grants any more what a SessionAccess that
// is being deleted granted, and no session of it is known to be open. The serial
// distinguishes this revocation from an earlier one of the same object.
func permissionGone(access *v1alpha1.SessionAccess) bool {
	revocation := access.Status.Revocation
	return !access.DeletionTimestamp.IsZero() && revocation != nil &&
		revocation.Serial > access.Status.Applied.Serial && len(revocation.Ending) == 0
}
