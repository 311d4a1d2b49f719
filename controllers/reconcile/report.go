package reconcile

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Report puts a verdict into the conditions of an object, writes its status
// where it differs from before, and announces a transition. The caller has set
// everything else in the status, observedGeneration too.
func Report(ctx context.Context, c client.Client, recorder events.EventRecorder, before, obj client.Object, conditions *[]metav1.Condition, v Verdict) error {
	transition := v.Apply(conditions, obj.GetGeneration())
	written, err := WriteStatus(ctx, c, before, obj)
	if err == nil && written && transition {
		Announce(recorder, obj, v)
	}
	return err
}
