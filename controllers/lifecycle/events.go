package lifecycle

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
)

// Announce records the transition of an object to a verdict as one event,
// whose reason is the condition's. Events are a courtesy: the recorder works in
// the background, and where one cannot be created nothing else is held up.
func Announce(recorder events.EventRecorder, obj runtime.Object, v Verdict) {
	kind := corev1.EventTypeNormal
	if v.Progress == Stuck || v.Progress == Retrying {
		kind = corev1.EventTypeWarning
	}
	recorder.Eventf(obj, nil, kind, v.Reason, "Reconcile", "%s", v.Message)
}
