package sessionaccess

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

// withReplaced adds to lost grants the machines of the activations that are there now,
// where a grant is of the machines of one that is not: a restore gives a HybridActivation
// another UID, and its machines the tag with it. Which of those of the namespace replaced
// it is not recorded, so each of them may have.
func (v revocation) withReplaced(ctx context.Context, lost []v1alpha1.ResolvedGrant) ([]v1alpha1.ResolvedGrant, error) {
	if !slices.ContainsFunc(lost, func(g v1alpha1.ResolvedGrant) bool { return len(grants.Activations(&g)) > 0 }) {
		return lost, nil
	}
	var list v1alpha1.HybridActivationList
	if err := v.Client.List(ctx, &list, client.InNamespace(v.Origin.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the HybridActivations of namespace %s: %w", v.Origin.Namespace, err)
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.HybridActivation) int { return cmp.Compare(a.UID, b.UID) })
	return replacing(lost, list.Items), nil
}

func timeOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// replacing adds targets with the UIDs of present activations beside each that names one
// which is gone. One that was there when the grant began has replaced none that it names.
func replacing(lost []v1alpha1.ResolvedGrant, present []v1alpha1.HybridActivation) []v1alpha1.ResolvedGrant {
	out := slices.Clone(lost)
	for i := range out {
		var also []v1alpha1.ResolvedTarget
		for j := range out[i].Targets {
			t := &out[i].Targets[j]
			if uid := grants.ActivationOf(t); uid == "" || slices.ContainsFunc(present, func(a v1alpha1.HybridActivation) bool { return string(a.UID) == uid }) {
				continue
			}
			for k := range present {
				if begunBefore(present[k].CreationTimestamp.Time, timeOf(out[i].Since)) {
					continue
				}
				uid := string(present[k].UID)
				replaced := *t
				replaced.Tags = maps.Clone(t.Tags)
				replaced.Tags[v1alpha1.TagActivation] = uid
				also = append(also, replaced)
			}
		}
		out[i].Targets = slices.Concat(out[i].Targets, also)
	}
	return out
}
