package effect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
)

// Reconciler asks about one principal at a time.
type Reconciler struct {
	Client   client.Client
	Clock    clock.PassiveClock
	Accounts *accounts.Registry
	Outcomes *grants.PrincipalStore
	Effects  *grants.EffectStore

	schedule *schedule
}

// Reconcile simulates a principal when it is due. Without the permission to simulate, the
// operator asks an account again after an hour.
func (r *Reconciler) Reconcile(ctx context.Context, key grants.PrincipalKey) (ctrl.Result, error) {
	account, ok := r.Accounts.Get(key.AccountID)
	if !ok {
		return ctrl.Result{}, nil // A resync wakes its principals.
	}
	granted, err := r.granted(ctx, key)
	if err != nil {
		return ctrl.Result{}, err
	}
	if len(granted) == 0 {
		r.schedule.forget(key)
		r.Effects.Put(key, nil, nil)
		return ctrl.Result{}, nil
	}
	now := r.Clock.Now()
	if wait := r.schedule.wait(key, fingerprint(granted), now); wait > 0 {
		return reconcile.Requeue(queue.PriorityResync, wait, nil)
	}
	effects, err := r.simulate(awsclient.WithPriority(ctx, awsclient.Lookup), account, key, granted)
	switch awserr.Classify(err) {
	case awserr.None:
		names := map[types.UID]types.NamespacedName{}
		for _, access := range granted {
			names[access.UID] = client.ObjectKeyFromObject(access)
		}
		r.Effects.Put(key, effects, names)
	case awserr.Refused:
		r.schedule.deny(key.AccountID, now)
	default:
		if retry := reconcile.Retry(err); retry != nil {
			return reconcile.Requeue(queue.PriorityResync, 0, retry)
		}
	}
	r.schedule.done(key, now)
	return reconcile.Requeue(queue.PriorityResync, again, nil)
}

// granted lists the objects whose grant the principal has, the oldest first. A principal
// that has nothing to lose to a denial is not asked about.
func (r *Reconciler) granted(ctx context.Context, key grants.PrincipalKey) ([]*v1alpha1.SessionAccess, error) {
	if key.Kind == v1alpha1.PrincipalPermissionSet {
		return nil, nil // The role that Identity Center makes of it is not known.
	}
	var accesses v1alpha1.SessionAccessList
	// They are read only.
	if err := r.Client.List(ctx, &accesses, queue.OfPrincipal(key), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the SessionAccesses of %s: %w", key, err)
	}
	outcome, _ := r.Outcomes.Get(key)
	var granted []*v1alpha1.SessionAccess
	for i := range accesses.Items {
		access := &accesses.Items[i]
		observed, record := outcome.Observed[access.UID], access.Status.Applied
		if record != nil && record.Granted != nil && access.DeletionTimestamp.IsZero() &&
			observed.State == v1alpha1.PrincipalGranted && observed.Serial == record.Serial {
			granted = append(granted, access)
		}
	}
	slices.SortFunc(granted, func(a, b *v1alpha1.SessionAccess) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(string(a.UID), string(b.UID))
	})
	return granted, nil
}

// fingerprint differs where the grants differ.
func fingerprint(granted []*v1alpha1.SessionAccess) string {
	var text strings.Builder
	for _, access := range granted {
		fmt.Fprintf(&text, "%s/%d ", access.UID, access.Status.Applied.Serial)
	}
	return text.String()
}

// simulate asks IAM, and returns the effect for each object that it was asked about. At
// most maxSimulations calls.
func (r *Reconciler) simulate(ctx context.Context, account accounts.Entry, key grants.PrincipalKey, granted []*v1alpha1.SessionAccess) (map[types.UID]grants.Effect, error) {
	view := account.IAM.Cache().Principal(iam.Principal{Kind: iam.PrincipalKind(key.Kind), Name: key.Name})
	if view.Presence != iam.Present || view.Path == "" {
		return nil, nil // The next read of IAM shows it.
	}
	effects := map[types.UID]grants.Effect{}
	for _, q := range questionsOf(account, view.Principal, arnOf(account, &view), granted, r.Clock.Now()) {
		decisions, err := account.IAM.Simulate(ctx, &q.simulation)
		if err != nil {
			return nil, err
		}
		for uid, samples := range q.samples {
			for i := range samples {
				if effects[uid] == (grants.Effect{}) {
					effects[uid] = effectOf(&samples[i], decisions, string(view.Kind)+" "+view.Name)
				}
			}
		}
	}
	return effects, nil
}
