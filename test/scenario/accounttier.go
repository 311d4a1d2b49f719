package scenario

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// HybridNode is a node of the emulated fleet that is no EC2 instance.
const HybridNode = "mi-0a1b2c3d4e5f60718"

// AccountTier is an AccountTier of the tests' region.
func AccountTier(tier v1alpha1.Tier, change ...func(*v1alpha1.AccountTier)) *v1alpha1.AccountTier {
	t := &v1alpha1.AccountTier{
		ObjectMeta: metav1.ObjectMeta{Name: "main"},
		Spec:       v1alpha1.AccountTierSpec{AccountRef: v1alpha1.AccountReference{Name: "main"}, Tier: tier},
	}
	for _, c := range change {
		c(t)
	}
	return t
}

// KeepTier leaves the tier as it is when the object is deleted.
func KeepTier(t *v1alpha1.AccountTier) { t.Spec.DeletionPolicy = v1alpha1.DeletionKeep }

// NewForTiers has an AWSAccount, and hybrid nodes in the fleet.
func NewForTiers(t *testing.T, nodes int, o testenv.ManagerOptions) World {
	t.Helper()
	w := NewWithoutManager(t)
	for i := range nodes {
		id := HybridNode
		if i > 0 {
			id = fmt.Sprintf("mi-%017x", i)
		}
		w.Emulator.Account(AccountID).Region(Region).Fleet.Put(&fleet.Node{
			ID: id, Managed: true, Launched: w.Clock.Now(), Agent: fleet.NewAgent(fixtures.Agent{}, w.Clock.Now()),
		})
	}
	w.Manager(t, o)
	w.Create(Account())
	w.AwaitAccount(Account(), v1alpha1.ReasonVerified)
	return w
}

// AwaitTier waits until Ready of an AccountTier has a reason for the present
// generation.
func (w World) AwaitTier(obj *v1alpha1.AccountTier, reason string) *v1alpha1.AccountTier {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.AccountTier) bool {
		ready := Condition(a.Status.Conditions, v1alpha1.ConditionReady)
		return ready.Reason == reason && ready.ObservedGeneration == a.Generation && a.Generation >= obj.Generation
	})
	w.Must(err)
	return got
}

// ExpectTierInAWS checks the tier that AWS uses and the status of the setting.
func (w World) ExpectTierInAWS(tier, status string) {
	w.T.Helper()
	if got, is := w.SSM().Tier(), w.SSM().TierStatus(); got != tier || is != status {
		w.T.Errorf("AWS has tier %s, %s; want %s, %s", got, is, tier, status)
	}
}

// AwaitPendingTier waits until AWS has taken a change: that it is said to be pending
// is stored before it is sent.
func (w World) AwaitPendingTier() {
	w.T.Helper()
	w.Eventually(func() bool { return w.SSM().TierStatus() == "PendingUpdate" })
}

// TierWrites counts the requests to change the tier that AWS took.
func (w World) TierWrites() int {
	n := 0
	for _, call := range w.Emulator.CallLog(0) {
		if IsTierWrite(call) {
			n++
		}
	}
	return n
}

// IsTierWrite reports whether a call changes the tier of a region.
func IsTierWrite(call calls.Call) bool {
	return call.Operation == "UpdateServiceSetting" || call.Operation == "ResetServiceSetting"
}

// DeleteTier deletes an AccountTier.
func (w World) DeleteTier(obj *v1alpha1.AccountTier) {
	w.T.Helper()
	w.Must(w.Client.Delete(w.T.Context(), obj))
}

// AwaitTierGone waits until an AccountTier is gone.
func (w World) AwaitTierGone(obj *v1alpha1.AccountTier) {
	w.T.Helper()
	w.Must(testenv.WaitGone(w.T.Context(), w.Client, obj))
}
