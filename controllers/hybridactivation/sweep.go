package hybridactivation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

const (
	// maxSwept bounds what one sweep deletes in a region, so that other accounts get their
	// turn. Deleting an activation disconnects nothing, so more of them need no
	// confirmation.
	maxSwept = 10
	// nextSweep is how soon the next sweep takes others.
	nextSweep = time.Second
)

// Sweeper deletes the activations of this installation whose object is gone,
// because its finalizer was removed by hand or the cluster was restored. It is
// keyed by AWSAccount.
type Sweeper struct {
	Client client.Client
	// Reader reads past the cache.
	Reader      client.Reader
	Recorder    events.EventRecorder
	Accounts    *accounts.Registry
	Activations *ActivationCache
	OwnerID     string

	turns turns
	mu    sync.Mutex
	// swept are the regions that were found without orphans since this process began.
	swept map[place]bool
}

// Reconcile sweeps the regions of one AWSAccount: each until nothing is left in it, and
// those that have a HybridActivation at every resync.
func (s *Sweeper) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	account := &v1alpha1.AWSAccount{}
	if err := s.Client.Get(ctx, req.NamespacedName, account); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	entry, ok := s.Accounts.Get(account.Spec.AccountID)
	if !ok || entry.Name != account.Name || entry.Mode == v1alpha1.ModeObserve {
		return ctrl.Result{}, nil
	}
	declared, regions, err := declared(ctx, s.Client, account.Name)
	if err != nil {
		return ctrl.Result{}, err
	}
	ctx = awsclient.WithPriority(ctx, awsclient.Resync)
	after := time.Duration(0)
	for _, region := range account.Spec.Regions {
		at := place{entry.AccountID, string(region)}
		if !regions[region] && s.isSwept(at) {
			continue
		}
		left, err := s.sweep(ctx, account, entry, string(region), declared)
		s.setSwept(at, err == nil && left.left == 0)
		if left.more {
			after = nextSweep
		}
		if err != nil {
			// Who has no HybridActivations need not allow to list any. The others learn
			// it from their own conditions.
			log.FromContext(ctx).V(1).Info("Looking for activations whose object is gone", "region", region, "error", err.Error())
		}
	}
	return reconcile.Requeue(queue.PriorityResync, after, nil)
}

// declared are the UIDs of all objects, whatever their account, and the regions of those
// that name this one. An object that is being deleted without the operator's finalizer, and
// kept by another one, is gone: nothing cleans up after it.
func declared(ctx context.Context, from client.Reader, account string) (uids map[string]bool, regions map[v1alpha1.Region]bool, err error) {
	var all v1alpha1.HybridActivationList
	if err := from.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, nil, fmt.Errorf("list the HybridActivations: %w", err)
	}
	uids, regions = map[string]bool{}, map[v1alpha1.Region]bool{}
	for i := range all.Items {
		isGone := !all.Items[i].DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(&all.Items[i], v1alpha1.Finalizer)
		if !isGone {
			uids[string(all.Items[i].UID)] = true
		}
		if all.Items[i].AccountName() == account {
			regions[all.Items[i].Spec.Region] = true
		}
	}
	return uids, regions, nil
}

func (s *Sweeper) isSwept(p place) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.swept[p]
}

func (s *Sweeper) setSwept(p place, is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.swept == nil {
		s.swept = map[place]bool{}
	}
	s.swept[p] = is
}

// sweep deletes some of the orphans of a region.
func (s *Sweeper) sweep(ctx context.Context, account *v1alpha1.AWSAccount, entry accounts.Entry, region string, known map[string]bool) (leftOver, error) {
	all, err := s.Activations.all(ctx, entry, region)
	if err != nil {
		return leftOver{}, err
	}
	orphans := orphaned(all, s.OwnerID, known)
	if len(orphans) > 0 {
		// An object may be newer than the list, or missing in the cache while its
		// activation is in AWS already.
		fresh, _, err := declared(ctx, s.Reader, account.Name)
		if err != nil {
			return leftOver{}, err
		}
		orphans = orphaned(all, s.OwnerID, fresh)
	}
	batch, more := s.turns.next(turnsOf{entry.AccountID, region}, orphans, maxSwept)
	var deleted []string
	var failures []error
	for _, id := range batch {
		log.FromContext(ctx).Info("Deleting an activation whose object is gone", "activation", id, "region", region)
		if err := entry.SSM(region).DeleteActivation(ctx, id); err != nil {
			failures = append(failures, err)
			continue
		}
		deleted = append(deleted, id)
		s.Activations.deleted(place{entry.AccountID, region}, id, types.UID(all[id].Tags[v1alpha1.TagActivation]))
	}
	if len(deleted) > 0 {
		reconcile.RecordEvent(s.Recorder, account, reconcile.Readyf(v1alpha1.ReasonStrayRemoved,
			"These activations were deleted in %s, because the HybridActivations that they were made for are gone: %s.", region, strings.Join(deleted, ", ")))
	}
	return leftOver{len(orphans) - len(deleted), more}, errors.Join(failures...)
}

// orphaned are the activations of an owner whose object is not declared.
func orphaned(all map[string]ssm.Activation, owner string, declared map[string]bool) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(all)) {
		tags := all[id].Tags
		if tags[v1alpha1.TagOwner] == owner && tags[v1alpha1.TagActivation] != "" && !declared[tags[v1alpha1.TagActivation]] {
			ids = append(ids, id)
		}
	}
	return ids
}
