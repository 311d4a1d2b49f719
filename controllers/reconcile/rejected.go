package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// RejectedDelay is how long until a write that the API server rejected is tried
// again. The same write gets the same answer until a person changes the object
// or its CRD, and a change of the object wakes its reconcile at once.
const RejectedDelay = 10 * time.Minute

// maxRejection bounds what a message repeats of the API server's answer, which
// quotes the values that it rejects.
const maxRejection = 300

// Rejections counts the writes to the project's objects that the API server
// rejected for good.
var Rejections = prometheus.NewCounterVec(prometheus.CounterOpts{
	Namespace: "ssm_access", Name: "writes_rejected_total",
	Help: "Writes to the project's objects that the API server rejects whenever they are sent: too large, or against the schema. Each has an event on its object.",
}, []string{"kind"})

// Rejected reports whether the API server would answer a write in the same way
// whenever it is sent: the object is too large for it or for etcd, or does not
// fit the schema. Such a write must not be retried with backoff.
func Rejected(err error) bool {
	if err == nil || apierrors.IsConflict(err) {
		return false
	}
	return apierrors.IsInvalid(err) || apierrors.IsRequestEntityTooLargeError(err) || tooLargeForEtcd(err)
}

// tooLargeForEtcd knows the answers of etcd and of its client. The API server
// passes them on as internal errors, so only the text distinguishes them.
func tooLargeForEtcd(err error) bool {
	text := err.Error()
	return strings.Contains(text, "etcdserver: request is too large") || strings.Contains(text, "trying to send message larger than max")
}

// rejection is what a message says of the API server's answer: the fields that
// it names, in a stable order and without the values.
func rejection(err error) string {
	if tooLargeForEtcd(err) || apierrors.IsRequestEntityTooLargeError(err) {
		return "the object would be too large to be stored"
	}
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || status.ErrStatus.Details == nil || len(status.ErrStatus.Details.Causes) == 0 {
		return "it does not fit the schema"
	}
	var causes []string
	for _, cause := range status.ErrStatus.Details.Causes {
		causes = append(causes, strings.TrimSpace(fmt.Sprintf("%s (%s)", cause.Field, cause.Type)))
	}
	slices.Sort(causes)
	text := "it does not fit the schema: " + strings.Join(slices.Compact(causes), ", ")
	return shorten(text, maxRejection)
}

// Finish ends a reconcile of an object as Result does. A write that the API
// server rejects is logged, counted and announced on the object, because its
// status can be unwritable too, and is tried again after RejectedDelay.
func Finish(ctx context.Context, c client.Client, recorder events.EventRecorder, obj client.Object, priority int, after time.Duration, err error) (ctrl.Result, error) {
	if !Rejected(err) {
		return Requeue(priority, after, err)
	}
	ReportRejected(ctx, c, recorder, obj, err)
	if after == 0 || after > RejectedDelay {
		after = RejectedDelay
	}
	return Requeue(priority, after, nil)
}

// ReportRejected logs, counts and announces a write that the API server rejects.
func ReportRejected(ctx context.Context, c client.Client, recorder events.EventRecorder, obj client.Object, err error) {
	log.FromContext(ctx).Error(err, "The API server rejects a write to the object")
	kind := "unknown"
	if gvk, failure := apiutil.GVKForObject(obj, c.Scheme()); failure == nil {
		kind = gvk.Kind
	}
	Rejections.WithLabelValues(kind).Inc()
	recorder.Eventf(obj, nil, corev1.EventTypeWarning, v1alpha1.ReasonWriteRejected, "Reconcile", "%s", rejectedSentence(err))
}

// rejectedSentence says what the API server rejects and what to do.
func rejectedSentence(err error) string {
	return fmt.Sprintf("The API server rejects what the operator has to store in this object: %s. Make the object smaller: its spec, its annotations, its labels or its managed fields; or install the CRDs of the operator's version.", rejection(err))
}
