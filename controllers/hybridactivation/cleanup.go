package hybridactivation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// Cleanup deletes every activation of the object, its Secret and, where the spec asks for
// it, its nodes. AWS may show the latest activation late, so the operator reads once more
// after the window.
func (r *Reconciler) Cleanup(ctx context.Context, frame *frameScope) (reconcile.Result, error) {
	s := r.scope(frame)
	var err error
	if s.secrets, err = r.readSecrets(ctx, s.Object); err != nil {
		return reconcile.Result{}, err
	}
	record := s.Object.Status.Record
	if record == nil {
		return s.release(ctx)
	}
	var ok bool
	if s.account, ok = r.Accounts.Get(record.AccountID); !ok {
		return cannotWithdraw(record.AccountID), nil
	}
	if s.account.Mode == v1alpha1.ModeObserve {
		return withdrawalObserved(s.Object, s.account), nil
	}
	return s.cleanUp(cloud.WithPriority(ctx, cloud.Revocation))
}

// release deletes the Secret. Nothing is left then.
func (s *scope) release(ctx context.Context) (reconcile.Result, error) {
	if err := s.dropSecrets(ctx, s.secrets); err != nil {
		return reconcile.Result{}, err
	}
	s.roles.forget(s.Object.UID)
	s.names.forget(s.Object.UID)
	log.FromContext(ctx).Info("Releasing the object: no activation of it is left in AWS")
	return reconcile.Released(), nil
}

func (s *scope) region() string { return string(s.Object.Spec.Region) }

// cleanUp deletes what there is, or finds that nothing is left.
func (s *scope) cleanUp(ctx context.Context) (reconcile.Result, error) {
	now, record := s.Clock.Now(), s.Object.Status.Record
	since := now.Add(-maxAge)
	proving := record.WithdrawnAt != nil && !now.Before(settled(record.WithdrawnAt.Time))
	if proving {
		since = settled(record.WithdrawnAt.Time)
	}
	seen, err := s.Listings.of(ctx, s.account, s.region(), s.Object.UID, since)
	if err != nil {
		return failed(err)
	}
	left := slices.Sorted(maps.Keys(seen.activations))
	if record.WithdrawnAt == nil || len(left) > 0 {
		return s.withdrawAll(ctx, left)
	}
	if err := s.dropSecrets(ctx, s.secrets); err != nil {
		return reconcile.Result{}, err
	}
	if s.Object.Spec.OnDelete.Nodes == v1alpha1.NodesDeregister {
		nodes, err := s.deregister(ctx)
		if err != nil {
			return failed(err)
		}
		if nodes > 0 {
			return requeued(deregistering(s.Object), nextPass), nil
		}
	} else if err := s.disown(ctx); err != nil {
		return failed(err)
	}
	if !proving {
		return requeued(withdrawing(), settled(record.WithdrawnAt.Time).Sub(now)), nil
	}
	s.Listings.forget(place{s.account.AccountID, s.region()}, s.Object.UID)
	return s.release(ctx)
}

// withdrawAll deletes every activation that is known, shown or not, and begins
// the window after which none must be shown.
func (s *scope) withdrawAll(ctx context.Context, shown []string) (reconcile.Result, error) {
	if err := s.takeBack(ctx, shown); err != nil {
		return failed(err)
	}
	// The times in the record are whole seconds: the next one is not too early.
	at := metav1.NewTime(s.Clock.Now().UTC().Truncate(time.Second).Add(time.Second))
	s.Object.Status.Record.WithdrawnAt = &at
	return requeued(withdrawing(), nextPass), nil
}

// deregister deregisters nodes that registered with an activation of the object, former
// ones too, and returns how many there were.
func (s *scope) deregister(ctx context.Context) (int, error) {
	// A node that cannot be deregistered, or a list that fails, keeps no other node.
	nodes, err := s.nodes(ctx)
	for _, id := range nodes[:min(len(nodes), maxDeregistered)] {
		log.FromContext(ctx).Info("Deregistering a node", "node", id)
		err = errors.Join(err, s.account.Cloud.DeregisterNode(ctx, s.region(), id))
	}
	return len(nodes), err
}

// nodes are found by the tag that AWS copied to them, and by the activations
// that are known, where the tag was lost. What one of the two shows comes with the
// error of the other.
func (s *scope) nodes(ctx context.Context) ([]string, error) {
	nodes, err := nodesOfObject(ctx, s.account.Cloud, s.region(), s.Object.UID, s.Object.Status.Record.Former)
	var ids []string
	for _, n := range nodes {
		ids = append(ids, n.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), err
}

func withdrawing() reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonWithdrawing,
		"The activation is deleted, and looked for once more when AWS shows for certain that none is left; that takes about a minute.")
}

func deregistering(a *v1alpha1.HybridActivation) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonDeregistering,
		"The nodes of the activation are being deregistered in %s, as onDelete.nodes says.", a.Spec.Region)
}

func cannotWithdraw(account string) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonAccountNotReady,
		"The activation cannot be deleted: account %s cannot be worked on now. Mend the AWSAccount that declares it, or create it again.", account)
}

func withdrawalObserved(a *v1alpha1.HybridActivation, account accounts.Entry) reconcile.Result {
	would := []string{"delete its activations"}
	if a.Spec.OnDelete.Nodes == v1alpha1.NodesDeregister {
		would = append(would, "deregister its nodes")
	}
	return wouldWrite(account.Name, would)
}
