package reconcile

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// RecordEvent records one event with the reason and the message of a result. Events are a
// courtesy: the recorder works in the background, and where one cannot be created nothing
// else is held up.
//
// A write that is in progress is no event: its result follows at once, and an event for
// each write would be a fifth of all requests of a large onboarding.
func RecordEvent(recorder events.EventRecorder, obj runtime.Object, r Result) {
	if r.Reason == v1alpha1.ReasonApplying || r.Reason == v1alpha1.ReasonCreating {
		return
	}
	kind := corev1.EventTypeNormal
	if needsUser(r) {
		kind = corev1.EventTypeWarning
	}
	recorder.Eventf(obj, nil, kind, r.Reason, "Reconcile", "%s", shorten(r.Message, maxNote))
}

// needsUser reports whether a user may have to act. Someone asked for what mode Observe and
// spec.suspend do. An AWSAccount that does not exist may be a spelling mistake, although
// the object waits for it.
func needsUser(r Result) bool {
	switch r.Reason {
	case v1alpha1.ReasonObserved, v1alpha1.ReasonSuspended:
		return false
	case v1alpha1.ReasonAccountNotFound:
		return true
	default:
		return r.Phase == Stalled || r.Phase == Retrying || r.Warns
	}
}

// maxNote is how long the API server lets the note of an event be. The recorder
// drops an event with a longer one.
const maxNote = 1024

// shorten cuts a text that has more than so many bytes.
func shorten(text string, most int) string {
	const more = " …"
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len(more)], "") + more
}
