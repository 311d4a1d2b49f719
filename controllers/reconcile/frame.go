package reconcile

import (
	"context"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// Object is an object of one of the operator's kinds.
type Object = v1alpha1.Object

// Options are what the reconcilers of all kinds need.
type Options struct {
	// Client reads from the cache, and writes.
	Client client.Client
	// Reader reads past the cache.
	Reader   client.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Accounts are the verified accounts.
	Accounts *accounts.Registry
	// Shard decides which objects this manager reconciles.
	Shard accounts.Shard
}

// Kind is what the reconciler of one kind does. No method patches the status or
// removes the finalizer: the frame does, by the result. An error ends the reconcile
// without a patch, and is retried with backoff; a failure that the status reports is
// Result.Retry.
type Kind[T Object] interface {
	// Reconcile converges an object to its spec. Before its first write to AWS it calls
	// Scope.Record or, where there is nothing to record, Scope.EnsureFinalizer.
	Reconcile(ctx context.Context, s *Scope[T]) (Result, error)
	// Narrow is Reconcile for an object that is suspended: it removes from AWS what is not
	// declared or allowed any more, and adds or changes nothing else.
	Narrow(ctx context.Context, s *Scope[T]) (Result, error)
	// Cleanup removes what an object has in AWS that is being deleted, or was removed in
	// spite of its finalizer. Once nothing is left its result is Released.
	Cleanup(ctx context.Context, s *Scope[T]) (Result, error)
}

// Keeper is a Kind that keeps something about its objects which nothing in AWS shows.
type Keeper[T Object] interface {
	// Gone is called when no object of a name exists, or only another controller's
	// finalizer keeps one that was released.
	Gone(ctx context.Context, key client.ObjectKey)
	// HandOver is called for an object that another manager is responsible for.
	HandOver(ctx context.Context, obj T)
}

// Completer is a Kind with more to show in a status than the results of its reconciles.
type Completer[T Object] interface {
	// Complete completes the status of an object once it has the conditions of a result.
	// What it returns is called when the status is stored as it is; nil for nothing.
	Complete(obj T) (afterPatch func())
}

// Trimmer is a Kind whose status may take more room than an object has.
type Trimmer[T Object] interface {
	// Trim returns copies of an object whose status the API server rejects, with less in
	// it: the one that says most first. The frame stores the first that the API server
	// accepts. None of them lacks what a revocation or a cleanup needs.
	Trim(obj T) []T
}

// Frame is the part of a reconcile that is the same for every kind.
type Frame[T Object] struct {
	Options
	kind    Kind[T]
	removed removed[T]
}

// NewFrame returns the reconciler of a kind.
func NewFrame[T Object](o Options, kind Kind[T]) *Frame[T] {
	return &Frame[T]{Options: o, kind: kind}
}

// Reconcile brings one object a step further:
//
//  1. it cleans up after an object of this name that was removed in spite of its finalizer
//  2. it fetches the object, and leaves it where another manager is responsible for it
//  3. it reads what the account allows, and the object itself where the cache keeps a stub
//  4. the kind plans, records, applies or cleans up
//  5. it removes the finalizer, or patches the status once, and records the event
func (f *Frame[T]) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	if obj, ok := f.removed.get(req.NamespacedName); ok {
		if left, result, err := f.cleanUpRemoved(ctx, obj); left {
			return result, err
		}
	}
	obj := newObject[T]()
	keeper, keeps := f.kind.(Keeper[T])
	if err := f.Client.Get(ctx, req.NamespacedName, obj); err != nil {
		if keeps && apierrors.IsNotFound(err) {
			keeper.Gone(ctx, req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if responsible, err := f.Shard.Responsible(ctx, f.Client, obj); err != nil || !responsible {
		if keeps && err == nil {
			keeper.HandOver(ctx, obj)
		}
		return ctrl.Result{}, err
	}
	s := f.scope(obj)
	if s.Deleting() && !controllerutil.ContainsFinalizer(obj, v1alpha1.Finalizer) && !queue.IsLeftBehind(obj) {
		if keeps {
			keeper.Gone(ctx, req.NamespacedName)
		}
		return ctrl.Result{}, nil
	}
	result, err := f.run(ctx, s)
	return Finish(ctx, f.Client, f.Recorder, s.Object, s.Priority, result.RequeueAfter, err)
}

// cleanUpRemoved cleans up after an object that is gone. left reports whether something
// of it is left, so that another object of its name has to wait.
func (f *Frame[T]) cleanUpRemoved(ctx context.Context, obj T) (left bool, _ ctrl.Result, _ error) {
	switch responsible, err := f.Shard.Responsible(ctx, f.Client, obj); {
	case err != nil:
		return true, ctrl.Result{}, err
	case !responsible:
		f.removed.forget(obj)
		return false, ctrl.Result{}, nil
	}
	log.FromContext(ctx).Info("Cleaning up after an object that the API server removed before it was cleaned up")
	s := f.scope(obj)
	s.removed = true
	result, err := f.run(ctx, s)
	if err == nil && result.Released {
		return false, ctrl.Result{}, nil
	}
	if result.RequeueAfter == 0 {
		result.RequeueAfter = removedRetry
	}
	requeue, err := Finish(ctx, f.Client, f.Recorder, s.Object, s.Priority, result.RequeueAfter, err)
	return true, requeue, err
}

func (f *Frame[T]) scope(obj T) *Scope[T] {
	s := &Scope[T]{Object: obj, stored: copyOf(obj), frame: f, Priority: queue.PriorityGrant}
	s.renameConditions()
	return s
}

// run has the kind do its part, and stores the result.
func (f *Frame[T]) run(ctx context.Context, s *Scope[T]) (Result, error) {
	result, err := f.step(ctx, s)
	if err != nil {
		return result, err
	}
	if result.Phase == Ready && result.Retry != nil {
		result.Reason, result.Message = "", "" // What is retried is not done.
	}
	mine := true
	if result.Released {
		mine, err = s.release(ctx)
	} else {
		err = s.patch(ctx, result)
	}
	if Rejected(err) && result.Unstored != nil {
		result.RequeueAfter = result.Unstored(ctx)
	}
	if err != nil {
		return result, err
	}
	if mine && result.AfterPatch != nil {
		result.AfterPatch()
	}
	return result, result.Retry
}

func (f *Frame[T]) step(ctx context.Context, s *Scope[T]) (Result, error) {
	if s.Deleting() {
		s.Priority = queue.PriorityRevocation
		return f.kind.Cleanup(ctx, s)
	}
	access, err := s.Access(ctx)
	if err != nil {
		return Result{}, err
	}
	if objectcache.Is(s.Object) && access.IsOpen() {
		if whole, err := objectcache.Whole(ctx, f.Reader, s.Object); err != nil || !whole {
			return Result{}, err
		}
		s.stored = copyOf(s.Object)
		s.renameConditions()
	}
	suspended := admission.Suspended(s.Object, access.Account)
	if suspended == nil {
		return f.kind.Reconcile(ctx, s)
	}
	result, err := f.kind.Narrow(ctx, s)
	if result.Phase == Ready || result.Phase == Reconciling { // A failure or a denial stays.
		denied := Denied(suspended)
		result.Phase, result.Reason, result.Message = denied.Phase, denied.Reason, denied.Message
	}
	return result, err
}

// newObject returns an empty object of a kind.
func newObject[T Object]() T {
	return reflect.New(reflect.TypeFor[T]().Elem()).Interface().(T)
}

func copyOf[T Object](obj T) T { return obj.DeepCopyObject().(T) }

// statusOf is the status of an object of one of the operator's kinds.
func statusOf(obj client.Object) any {
	own, ok := obj.(Object)
	if !ok {
		panic(fmt.Sprintf("%T is no kind of the operator", obj)) // No such kind is reconciled.
	}
	status, _, _, _ := own.StatusFields()
	return status
}
