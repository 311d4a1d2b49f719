package reconcile

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// The names in this file are those under which packages principal and sessionaccess know
// what has moved. They go with the last of their uses.

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
