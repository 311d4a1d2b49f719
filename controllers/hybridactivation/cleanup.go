package hybridactivation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
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
	return s.cleanUp(awsclient.WithPriority(ctx, awsclient.Revocation))
}

// release deletes the Secret. Nothing is left then.
func (s *scope) release(ctx context.Context) (reconcile.Result, error) {
	if err := s.dropSecrets(ctx, s.secrets); err != nil {
		return reconcile.Result{}, err
	}
	s.roles.forget(s.Object.UID)
	s.names.forget(s.Object.UID)
	s.turns.forget(string(s.Object.UID))
	log.FromContext(ctx).Info("Releasing the object: no activation of it is left in AWS")
	return reconcile.Released(), nil
}

func (s *scope) region() string { return string(s.Object.Spec.Region) }

// cleanUp deletes what there is, or finds that nothing is left. What cannot be listed or
// deleted keeps nothing else.
func (s *scope) cleanUp(ctx context.Context) (reconcile.Result, error) {
	now, record := s.Clock.Now(), s.Object.Status.Record
	since := now.Add(-maxAge)
	proving := record.WithdrawnAt != nil && !now.Before(settled(record.WithdrawnAt.Time))
	if proving {
		since = later(since, settled(record.WithdrawnAt.Time))
	}
	seen, failure := s.Activations.of(ctx, s.account, s.region(), s.identity(), since)
	left := slices.Sorted(maps.Keys(seen.activations))
	if record.WithdrawnAt == nil || len(left) > 0 {
		err := s.takeBack(ctx, left) // What the status names is deleted although nothing is listed.
		if failure = errors.Join(failure, err); failure == nil {
			// The times in the record are whole seconds: the next one is not too early.
			at := metav1.NewTime(s.Clock.Now().UTC().Truncate(time.Second).Add(time.Second))
			record.WithdrawnAt = &at
			return requeued(withdrawing(), nextPass), nil
		}
	} else {
		failure = errors.Join(failure, s.dropSecrets(ctx, s.secrets))
	}
	nodes, err := s.letNodesGo(ctx, left)
	switch failure = errors.Join(failure, err); {
	case failure != nil && nodes.more:
		return othersFirst(failure, nextPass)
	case failure != nil:
		return failed(failure)
	case nodes.left > 0:
		return requeued(lettingGo(s.Object), nextPass), nil
	case !proving:
		return requeued(withdrawing(), settled(record.WithdrawnAt.Time).Sub(now)), nil
	}
	s.Activations.forget(place{s.account.AccountID, s.region()}, s.Object.UID)
	return s.release(ctx)
}

// letNodesGo deregisters the nodes of the object, or marks those that stay. activations
// are those that are left.
func (s *scope) letNodesGo(ctx context.Context, activations []string) (leftOver, error) {
	if s.Object.NodeDeletionPolicy() == v1alpha1.NodesDeregister {
		return s.deregister(ctx, activations)
	}
	return s.disown(ctx)
}

// deregister deregisters nodes that registered with an activation of the object, former
// ones too.
func (s *scope) deregister(ctx context.Context, activations []string) (leftOver, error) {
	// A node that cannot be deregistered, or a list that fails, keeps no other node.
	nodes, err := s.nodes(ctx, slices.Concat(activations, known(&s.Object.Status), s.Object.Status.Record.Former))
	batch, more := s.turns.next(turnsOf{string(s.Object.UID), "deregister"}, nodes, maxDeregistered)
	for _, id := range batch {
		log.FromContext(ctx).Info("Deregistering a node", "node", id)
		err = errors.Join(err, s.account.SSM(s.region()).DeregisterNode(ctx, id))
	}
	return leftOver{len(nodes), more}, err // Those of this pass are listed once more.
}

// nodes are the ids of all nodes of the object. What one list shows comes with the error of
// another.
func (s *scope) nodes(ctx context.Context, activations []string) ([]string, error) {
	nodes, err := nodesOfObject(ctx, s.account.SSM(s.region()), s.identity(), distinct(activations), func() ([]string, error) { return s.uids(ctx) })
	return nodeIDs(nodes), err
}

// disown marks the nodes that stay when their object is deleted, so that a later object of
// the same name does not get them.
func (s *scope) disown(ctx context.Context) (leftOver, error) {
	of := s.identity()
	nodes, err := s.nodes(ctx, nil)
	known := s.names.of(of.uid)
	ids := slices.DeleteFunc(nodes, func(id string) bool { return known.released[id] })
	batch, more := s.turns.next(turnsOf{string(of.uid), "disown"}, ids, maxTagged)
	done, failure := s.tagEach(ctx, batch, map[string]string{v1alpha1.TagActivation: string(of.uid), v1alpha1.TagObject: v1alpha1.TagReleased})
	for _, id := range done {
		known.released[id] = true
	}
	return leftOver{len(ids) - len(done), more}, errors.Join(err, failure)
}

func withdrawing() reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonWithdrawing,
		"The activation is deleted, and the operator lists activations once more when AWS shows for certain that none is left; that takes about a minute.")
}

func lettingGo(a *v1alpha1.HybridActivation) reconcile.Result {
	if a.NodeDeletionPolicy() != v1alpha1.NodesDeregister {
		return reconcile.Reconcilingf(v1alpha1.ReasonWithdrawing,
			"The activation is deleted, and its nodes in %s, which stay registered, get tag %s=%s, so that no later HybridActivation gets them.", a.Spec.Region, v1alpha1.TagObject, v1alpha1.TagReleased)
	}
	return reconcile.Reconcilingf(v1alpha1.ReasonDeregistering,
		"The nodes of the activation are being deregistered in %s, as nodeDeletionPolicy says.", a.Spec.Region)
}

func cannotWithdraw(account string) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonAccountNotReady,
		"The activation cannot be deleted: account %s cannot be worked on now. Correct the AWSAccount that declares it, or create it again.", account)
}

func withdrawalObserved(a *v1alpha1.HybridActivation, account accounts.Entry) reconcile.Result {
	would := []string{"delete its activations"}
	if a.NodeDeletionPolicy() == v1alpha1.NodesDeregister {
		would = append(would, "deregister its nodes")
	}
	return wouldWrite(account.Name, would)
}

// withdraw deletes activations of an object. What is gone already is fine. One that
// cannot be deleted keeps none of the others.
func (r *Reconciler) withdraw(ctx context.Context, account accounts.Entry, region string, of types.UID, ids []string) error {
	ctx = awsclient.WithPriority(ctx, awsclient.Revocation)
	var failures []error
	for _, id := range ids {
		log.FromContext(ctx).Info("Deleting an activation", "activation", id)
		if err := account.SSM(region).DeleteActivation(ctx, id); err != nil {
			failures = append(failures, err)
			continue
		}
		r.Activations.deleted(place{account.AccountID, region}, id, of)
	}
	return errors.Join(failures...)
}

// takeBack deletes every activation of an object, those that AWS shows and those
// that are known otherwise, and the Secret, whether or not the activations could be
// deleted: no reader of Secrets may learn their code. The status remembers that they were.
func (s *scope) takeBack(ctx context.Context, shown []string) error {
	status := &s.Object.Status
	ids := append(slices.Clone(shown), known(status)...)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	err := s.withdraw(ctx, s.account, s.region(), s.Object.UID, ids)
	if failure := s.dropSecrets(ctx, s.secrets); failure != nil || err != nil {
		return errors.Join(err, failure)
	}
	for _, id := range ids {
		if !slices.Contains(status.Record.Former, id) {
			status.Record.Former = append(status.Record.Former, id)
		}
	}
	status.Record.Former, status.Record.Previous = bounded(status.Record.Former), nil
	hide(status)
	return nil
}

// known are the activations that the status names. What the Secret names proves
// nothing: a user who may write it can name another owner's activation, with a
// matching digest. An activation of the object is in the status or carries its tag.
func known(status *v1alpha1.HybridActivationStatus) []string {
	var ids []string
	if status.ActivationID != "" {
		ids = append(ids, status.ActivationID)
	}
	if status.Record != nil {
		for _, p := range status.Record.Previous {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// withdrawDenied deletes what the object had when it is not allowed any more. Nodes stay:
// SessionAccesses decide what may be done on them.
func (s *scope) withdrawDenied(ctx context.Context, denied reconcile.Result) (reconcile.Result, error) {
	record := s.Object.Status.Record
	if record == nil {
		return denied, nil
	}
	var ok bool
	if s.account, ok = s.Accounts.Get(record.AccountID); !ok || s.account.Mode == v1alpha1.ModeObserve {
		return denied, nil
	}
	var err error
	if s.secrets, err = s.readSecrets(ctx, s.Object); err != nil {
		return reconcile.Result{}, err
	}
	seen, err := s.Activations.of(ctx, s.account, s.region(), s.identity(), freshness(s.Clock.Now(), s.started, record, s.secrets.stored))
	if err != nil { // What the status names is deleted all the same.
		return failed(errors.Join(err, s.takeBack(ctx, nil)))
	}
	if err := s.takeBack(ctx, slices.Collect(maps.Keys(seen.activations))); err != nil {
		return failed(err)
	}
	if record.Pending != nil && !seen.begun.Before(pendingSettled(*record.Pending, s.started)) {
		record.Pending = nil
	}
	return denied, nil
}
