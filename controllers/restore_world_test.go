package controllers_test

import (
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// vanish makes objects go as they do with their cluster: no finalizer keeps them,
// and no manager hears of it. It returns what a backup holds of them.
func (w world) vanish(objects ...client.Object) []client.Object {
	w.t.Helper()
	saved := w.backup(objects...)
	for _, obj := range objects {
		w.must(w.Client.Get(w.t.Context(), keyOf(obj), obj))
		obj.SetFinalizers(nil)
		w.must(w.Client.Update(w.t.Context(), obj))
		w.must(client.IgnoreNotFound(w.Client.Delete(w.t.Context(), obj)))
		w.must(testenv.WaitGone(w.t.Context(), w.Client, obj))
	}
	return saved
}

// backup copies objects as they are stored.
func (w world) backup(objects ...client.Object) []client.Object {
	w.t.Helper()
	var saved []client.Object
	for _, obj := range objects {
		stored := obj.DeepCopyObject().(client.Object)
		w.must(w.Client.Get(w.t.Context(), keyOf(obj), stored))
		saved = append(saved, stored)
	}
	return saved
}

// restored creates an object from a backup: it has another UID and time of
// creation. With status, what the backup holds of that is written afterwards, in
// the times of the backup.
func restored[T client.Object](w world, backup client.Object, status bool) T {
	w.t.Helper()
	obj := backup.DeepCopyObject().(client.Object)
	obj.SetUID("")
	obj.SetResourceVersion("")
	obj.SetManagedFields(nil)
	obj.SetFinalizers(nil)
	obj.SetCreationTimestamp(metav1.Time{})
	obj.SetGeneration(0)
	w.create(obj)
	if status {
		w.putBackStatus(obj, backup)
	}
	return obj.(T)
}

// putBackStatus writes the status of a backup to an object that is there.
func (w world) putBackStatus(obj, backup client.Object) {
	w.t.Helper()
	with := backup.DeepCopyObject().(client.Object)
	conditions := conditionsOf(with)
	for i := range conditions {
		conditions[i].LastTransitionTime = metav1.NewTime(conditions[i].LastTransitionTime.Add(-time.Hour))
	}
	w.must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if err := w.Client.Get(w.t.Context(), keyOf(obj), obj); err != nil {
			return err
		}
		with.SetUID(obj.GetUID())
		with.SetResourceVersion(obj.GetResourceVersion())
		return w.Client.Status().Update(w.t.Context(), with)
	}))
}

func conditionsOf(obj client.Object) []metav1.Condition {
	switch o := obj.(type) {
	case *v1alpha1.AWSAccount:
		return o.Status.Conditions
	case *v1alpha1.SessionAccess:
		return o.Status.Conditions
	case *v1alpha1.SessionDocument:
		return o.Status.Conditions
	case *v1alpha1.HybridActivation:
		return o.Status.Conditions
	case *v1alpha1.AccountTier:
		return o.Status.Conditions
	default:
		return nil
	}
}

// eventsOf counts the events of a reason that regard an object.
func (w world) eventsOf(obj client.Object, reason string) int {
	w.t.Helper()
	var all eventsv1.EventList
	w.must(w.Client.List(w.t.Context(), &all))
	n := 0
	for i := range all.Items {
		if all.Items[i].Reason == reason && all.Items[i].Regarding.UID == obj.GetUID() {
			n++
		}
	}
	return n
}

// judgedDocument waits until Ready of an object says anything that is not on its way.
func (w world) judgedDocument(obj *v1alpha1.SessionDocument) {
	w.t.Helper()
	w.documentWhen(obj, func(d *v1alpha1.SessionDocument) bool {
		reason := readyOf(d).Reason
		return reason != "" && reason != v1alpha1.ReasonApplying
	})
}

// accountSays waits until a condition of an AWSAccount is True.
func (w world) accountSays(obj *v1alpha1.AWSAccount, kind string) {
	w.t.Helper()
	_, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.AWSAccount) bool {
		return condition(a.Status.Conditions, kind).Status == metav1.ConditionTrue
	})
	w.must(err)
}

// nodeHas waits until a node carries a tag.
func (w world) nodeHas(id, key, value string) {
	w.t.Helper()
	w.until(func() bool {
		n, ok := w.node(id)
		return ok && n.Tags[key] == value
	})
}
