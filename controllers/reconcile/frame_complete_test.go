package reconcile_test

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// completing is a kind that has a condition more, and counts how often it is stored.
type completing struct {
	kind
	stored int
}

func (k *completing) Complete(tier *v1alpha1.AccountTier) func() {
	reconcile.SetCondition(&tier.Status.Conditions, tier.Generation, "More", metav1.ConditionTrue, "More", "message")
	return func() { k.stored++ }
}

func TestAKindCompletesAStatusAfterTheConditionsOfItsResult(t *testing.T) {
	t.Parallel()
	f, k := newFramed(t, nil, tier("none")), &completing{}
	result := reconcile.Readyf(v1alpha1.ReasonTierInForce, "message")
	k.reconcile = func(context.Context, *tierScope) (reconcile.Result, error) { return result, nil }
	f.frame = reconcile.NewFrame(f.frame.Options, k)
	for range 2 { // The second time nothing is new.
		f.reconcile()
	}
	conditions := f.tier(t.Context()).Status.Conditions
	if len(conditions) != 2 || conditions[0].Type != v1alpha1.ConditionReady || conditions[1].Type != "More" || k.stored != 1 {
		t.Errorf("it was stored %d times, and the conditions are %+v", k.stored, conditions)
	}
	result = reconcile.Result{} // Nothing is said about the object.
	f.reconcile()
	f.counted(0, 1)
}
