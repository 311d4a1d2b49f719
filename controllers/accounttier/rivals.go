package accounttier

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// inputs are everything except AWS that determines what an AccountTier does.
type inputs struct {
	admission.AccountAccess
	tier *v1alpha1.AccountTier
	// rivals are the other AccountTiers of the account, the oldest first.
	rivals []v1alpha1.AccountTier
}

func (r *Reconciler) gather(ctx context.Context, s *frameScope) (inputs, error) {
	tier := s.Object
	in := inputs{tier: tier}
	var err error
	if in.AccountAccess, err = s.Access(ctx); err != nil {
		return in, err
	}
	var all v1alpha1.AccountTierList
	if err := r.Client.List(ctx, &all, queue.OfAccountName(tier.AccountName()), client.UnsafeDisableDeepCopy); err != nil {
		return in, fmt.Errorf("list the AccountTiers of AWSAccount %q: %w", tier.AccountName(), err)
	}
	for i := range all.Items {
		if all.Items[i].UID != tier.UID {
			in.rivals = append(in.rivals, all.Items[i])
		}
	}
	slices.SortFunc(in.rivals, func(a, b v1alpha1.AccountTier) int {
		if accounts.Precedes(&a, &b) {
			return -1
		}
		return 1
	})
	return in, nil
}

// declared are the regions whose tier an AccountTier declares.
func (in inputs) declared(tier *v1alpha1.AccountTier) []v1alpha1.Region {
	switch {
	case !tier.DeletionTimestamp.IsZero():
		return nil
	case len(tier.Spec.Regions) > 0:
		return tier.Spec.Regions
	case in.Account != nil:
		return in.Account.Spec.Regions
	default:
		return nil
	}
}

// holder is the AccountTier that keeps this one from a region: an older one that
// claims it, or one that gives it up and has not handed over yet what it found
// there.
func (in inputs) holder(region v1alpha1.Region) *v1alpha1.AccountTier {
	for i := range in.rivals {
		rival := &in.rivals[i]
		declares := in.claims(rival, region)
		handsOver := !declares && changed(rival, region) && !changed(in.tier, region)
		if (declares && in.precedes(rival, region)) || handsOver {
			return rival
		}
	}
	return nil
}

// changed reports whether an AccountTier holds what a region was before it was
// changed.
func changed(tier *v1alpha1.AccountTier, region v1alpha1.Region) bool {
	record := find(&tier.Status, region)
	return record != nil && record.Before != nil
}

// heir is another AccountTier that declares a region which this one gives up.
func (in inputs) heir(region v1alpha1.Region) *v1alpha1.AccountTier {
	for i := range in.rivals {
		if in.claims(&in.rivals[i], region) {
			return &in.rivals[i]
		}
	}
	return nil
}

// claims reports whether a rival declares a region and will see to it. One that is
// refused, because it declares a region that the account does not have, takes
// nothing over, and so keeps nothing from others.
func (in inputs) claims(rival *v1alpha1.AccountTier, region v1alpha1.Region) bool {
	declared := in.declared(rival)
	return slices.Contains(declared, region) && (in.Account == nil || in.CheckRegions(declared) == nil)
}

// inherit takes over what another AccountTier found in a region before it changed
// it: the operator restores that value in the end.
func (in inputs) inherit(r *v1alpha1.RegionTier) {
	for i := range in.rivals {
		if r.Before == nil && changed(&in.rivals[i], r.Region) {
			r.Before = find(&in.rivals[i].Status, r.Region).Before.DeepCopy()
		}
	}
}
