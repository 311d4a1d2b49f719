package reconcile

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// This file holds what the packages need whose kind does not use the frame yet, and the
// names under which they know what has moved. It is removed with the last use.

// The priorities of package queue.
const (
	PriorityRevocation        = queue.PriorityRevocation
	PriorityRetriedRevocation = queue.PriorityRetriedRevocation
	PriorityGrant             = queue.PriorityGrant
	PriorityResync            = queue.PriorityResync
	PriorityLookup            = queue.PriorityLookup
)

// Trigger is queue.Trigger.
type Trigger[T comparable] = queue.Trigger[T]

// Enqueue is queue.Enqueue.
func Enqueue[T comparable](q workqueue.TypedRateLimitingInterface[T], priority int, items ...T) {
	queue.Enqueue(q, priority, items...)
}

// OwnEvents is queue.OwnEvents.
func OwnEvents() handler.EventHandler { return queue.OwnEvents() }

// AccountNews is queue.AccountNews.
func AccountNews() predicate.Predicate { return queue.AccountNews() }

// Judged is v1alpha1.Decided.
func Judged(conditions []metav1.Condition, generation int64) bool {
	return v1alpha1.Decided(conditions, generation)
}

// Own is v1alpha1.IsOwnRecord.
func Own(uid string, obj client.Object) bool { return v1alpha1.IsOwnRecord(uid, obj) }

// Progress is Phase.
type Progress = Phase

// The phases of Progress.
const (
	Settled = Ready
	Working = Reconciling
	Stuck   = Stalled
)

// Verdict is Result without what happens next.
type Verdict struct {
	Progress Progress
	Reason   string
	Message  string
}

func (v Verdict) result() Result {
	return Result{Phase: v.Progress, Reason: v.Reason, Message: v.Message}
}

// Apply sets Ready, Reconciling and Stalled.
func (v Verdict) Apply(conditions *[]metav1.Condition, generation int64) (transition bool) {
	return v.result().setPhase(conditions, generation)
}

// VerdictOf is Denied.
func VerdictOf(d *accounts.Denial) Verdict {
	r := Denied(d)
	return Verdict{Progress: r.Phase, Reason: r.Reason, Message: r.Message}
}

// Failure is Failed.
func Failure(err error) (v Verdict, shown bool) {
	r, shown := Failed(err)
	return Verdict{Progress: r.Phase, Reason: r.Reason, Message: r.Message}, shown
}

// Announce is RecordEvent.
func Announce(recorder events.EventRecorder, obj runtime.Object, v Verdict) {
	RecordEvent(recorder, obj, v.result())
}

// Notice is SetConditionWhile.
func Notice(conditions *[]metav1.Condition, generation int64, kind, reason, message string) (appeared bool) {
	return SetConditionWhile(conditions, generation, kind, reason, message)
}

// Report puts a verdict into the conditions of an object, writes its status
// where it differs from before, and records the event of a transition. The caller has set
// everything else in the status, observedGeneration too.
func Report(ctx context.Context, c client.Client, recorder events.EventRecorder, before, obj client.Object, conditions *[]metav1.Condition, v Verdict) error {
	transition := v.Apply(conditions, obj.GetGeneration())
	written, err := WriteStatus(ctx, c, before, obj)
	if err == nil && written && transition {
		Announce(recorder, obj, v)
	}
	return err
}
