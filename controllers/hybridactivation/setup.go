package hybridactivation

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// workers bound how many HybridActivations of an account are worked on at once.
// Each waits for a few calls to AWS at the most.
var workers = queue.Limits{Account: 5, Tenant: 4}

// Triggers wake the controllers from outside.
type Triggers struct {
	activations, sweeps queue.Trigger[ctrl.Request]
}

// WakeAccount wakes the objects of an account, and starts a search for what objects
// that are gone left behind.
func (t *Triggers) WakeAccount(c client.Reader) accounts.Listener {
	wake := accounts.Wake(&t.activations, c, &v1alpha1.HybridActivationList{})
	return func(ctx context.Context, accountID, name string, resync bool) {
		wake(ctx, accountID, name, resync)
		t.sweeps.Add(queue.PriorityResync, ctrl.Request{NamespacedName: types.NamespacedName{Name: name}})
	}
}

// SetupWithManager registers the controllers.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, wake *Triggers) error {
	items := queue.ForObjects(mgr.GetClient(), func() *v1alpha1.HybridActivation { return &v1alpha1.HybridActivation{} }, workers)
	frame := reconcile.NewFrame(r.Options, r)
	sweeps := queue.ForAccounts()
	return errors.Join(
		ctrl.NewControllerManagedBy(mgr).
			Named("hybridactivation").
			WithOptions(items.Options()).
			Watches(&v1alpha1.HybridActivation{}, queue.OwnEvents()).
			Watches(&v1alpha1.HybridActivation{}, frame.Removals()).
			Watches(&v1alpha1.AWSAccount{}, handler.EnqueueRequestsFromMapFunc(queue.NamingAccount(r.Client, &v1alpha1.HybridActivationList{})), builder.WithPredicates(queue.AccountNews())).
			Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(queue.InNamespace(r.Client, &v1alpha1.HybridActivationList{}))).
			WatchesRawSource(&wake.activations).
			Complete(items.Serving(frame)),
		ctrl.NewControllerManagedBy(mgr).
			Named("hybridactivation-sweep").
			WithOptions(sweeps.Options()).
			WatchesRawSource(&wake.sweeps).
			Complete(sweeps.Serving(&Sweeper{Client: r.Client, Reader: r.Reader, Recorder: r.Recorder, Accounts: r.Accounts, Activations: r.Activations, OwnerID: r.OwnerID})),
	)
}
