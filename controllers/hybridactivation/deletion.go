package hybridactivation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

const (
	// maxDeregistered is how many nodes are deregistered in one pass, so that other
	// objects get their turn.
	maxDeregistered = 50
	// nextPass is how soon another pass follows.
	nextPass = 200 * time.Millisecond
)

// reconcileDeletion releases the object once no activation of it is left, its Secret
// is gone and, where the spec asks for it, its nodes are deregistered. AWS may show
// the latest activation late, so the operator reads once more after the window.
func (r *Reconciler) reconcileDeletion(ctx context.Context, a *v1alpha1.HybridActivation) (time.Duration, error) {
	if !controllerutil.ContainsFinalizer(a, v1alpha1.Finalizer) {
		return 0, nil
	}
	s, err := r.readSecrets(ctx, a)
	if err != nil {
		return 0, err
	}
	record := a.Status.Record
	if record == nil {
		return 0, r.release(ctx, a, s)
	}
	before := a.DeepCopy()
	account, ok := r.Accounts.Get(record.AccountID)
	switch {
	case !ok:
		return 0, r.report(ctx, before, a, cannotWithdraw(record.AccountID))
	case account.Mode == v1alpha1.ModeObserve:
		return 0, r.report(ctx, before, a, withdrawalObserved(a, account))
	}
	d := deletion{Reconciler: r, activation: a, before: before, account: account, secrets: s}
	return d.step(ctx)
}

// release deletes the Secret and lets the object go.
func (r *Reconciler) release(ctx context.Context, a *v1alpha1.HybridActivation, s secrets) error {
	if err := r.dropSecrets(ctx, s); err != nil {
		return err
	}
	r.roles.forget(a.UID)
	r.names.forget(a.UID)
	log.FromContext(ctx).Info("Letting the object go: no activation of it is left in AWS")
	return reconcile.RemoveFinalizer(ctx, r.Client, a)
}

// deletion is one reconcile of an object that is being deleted.
type deletion struct {
	*Reconciler
	activation *v1alpha1.HybridActivation
	before     *v1alpha1.HybridActivation
	account    accounts.Entry
	secrets    secrets
}

func (d *deletion) region() string { return string(d.activation.Spec.Region) }

// step deletes what there is, or finds that nothing is left.
func (d *deletion) step(ctx context.Context) (time.Duration, error) {
	ctx = cloud.WithPriority(ctx, cloud.Revocation)
	now := d.Clock.Now()
	record := d.activation.Status.Record
	since := now.Add(-maxAge)
	proving := record.WithdrawnAt != nil && !now.Before(settled(record.WithdrawnAt.Time))
	if proving {
		since = settled(record.WithdrawnAt.Time)
	}
	seen, err := d.Listings.of(ctx, d.account, d.region(), d.activation.UID, since)
	if err != nil {
		return 0, d.fail(ctx, d.before, d.activation, err)
	}
	left := slices.Sorted(maps.Keys(seen.activations))
	if record.WithdrawnAt == nil || len(left) > 0 {
		return d.withdrawAll(ctx, left)
	}
	if err := d.dropSecrets(ctx, d.secrets); err != nil {
		return 0, err
	}
	if d.activation.Spec.OnDelete.Nodes == v1alpha1.NodesDeregister {
		if after, done, err := d.deregister(ctx); !done || err != nil {
			return after, err
		}
	}
	if d.activation.Spec.OnDelete.Nodes != v1alpha1.NodesDeregister {
		if err := d.disown(ctx); err != nil {
			return 0, d.fail(ctx, d.before, d.activation, err)
		}
	}
	if !proving {
		return settled(record.WithdrawnAt.Time).Sub(now), d.report(ctx, d.before, d.activation, withdrawing())
	}
	d.Listings.forget(place{d.account.AccountID, d.region()}, d.activation.UID)
	return 0, d.release(ctx, d.activation, d.secrets)
}

// withdrawAll deletes every activation that is known, shown or not, and begins
// the window after which none must be shown.
func (d *deletion) withdrawAll(ctx context.Context, shown []string) (time.Duration, error) {
	if err := d.takeBack(ctx, d.account, d.activation, d.secrets, shown); err != nil {
		return 0, d.fail(ctx, d.before, d.activation, err)
	}
	// The times in the record are whole seconds: the next one is not too early.
	at := metav1.NewTime(d.Clock.Now().UTC().Truncate(time.Second).Add(time.Second))
	d.activation.Status.Record.WithdrawnAt = &at
	return nextPass, d.report(ctx, d.before, d.activation, withdrawing())
}

// deregister deregisters the nodes that registered with an activation of the
// object, former ones too. done says that AWS shows none.
func (d *deletion) deregister(ctx context.Context) (after time.Duration, done bool, err error) {
	// A node that cannot be deregistered, or a list that fails, keeps no other node.
	nodes, err := d.nodes(ctx)
	for _, id := range nodes[:min(len(nodes), maxDeregistered)] {
		log.FromContext(ctx).Info("Deregistering a node", "node", id)
		err = errors.Join(err, d.account.Cloud.DeregisterNode(ctx, d.region(), id))
	}
	if err != nil {
		return 0, false, d.fail(ctx, d.before, d.activation, err)
	}
	if len(nodes) == 0 {
		return 0, true, nil
	}
	return nextPass, false, d.report(ctx, d.before, d.activation, deregistering(d.activation))
}

// nodes are found by the tag that AWS copied to them, and by the activations
// that are known, where the tag was lost. What one of the two shows comes with the
// error of the other.
func (d *deletion) nodes(ctx context.Context) ([]string, error) {
	nodes, err := nodesOfObject(ctx, d.account.Cloud, d.region(), d.activation.UID, d.activation.Status.Record.Former)
	var ids []string
	for _, n := range nodes {
		ids = append(ids, n.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), err
}

func withdrawing() reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonWithdrawing,
		Message: "The activation is deleted, and looked for once more when AWS shows for certain that none is left; that takes about a minute.",
	}
}

func deregistering(a *v1alpha1.HybridActivation) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonDeregistering,
		Message: fmt.Sprintf("The nodes of the activation are being deregistered in %s, as onDelete.nodes says.", a.Spec.Region),
	}
}

func cannotWithdraw(account string) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonAccountNotReady,
		Message: fmt.Sprintf("The activation cannot be deleted: account %s cannot be worked on now. Mend the AWSAccount that declares it, or create it again.", account),
	}
}

func withdrawalObserved(a *v1alpha1.HybridActivation, account accounts.Entry) reconcile.Verdict {
	would := []string{"delete its activations"}
	if a.Spec.OnDelete.Nodes == v1alpha1.NodesDeregister {
		would = append(would, "deregister its nodes")
	}
	return reconcile.Verdict{
		Progress: reconcile.Stuck, Reason: v1alpha1.ReasonObserved,
		Message: fmt.Sprintf("AWSAccount %q is in mode Observe, so nothing was written. With mode Enforce the operator would %s.", account.Name, strings.Join(would, ", then ")),
	}
}
