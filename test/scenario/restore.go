package scenario

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// LoseObjects makes objects go as they do with their cluster: no finalizer keeps them,
// and no manager hears of it. It returns what a backup holds of them.
func (w World) LoseObjects(objects ...client.Object) []client.Object {
	w.T.Helper()
	saved := w.Backup(objects...)
	for _, obj := range objects {
		w.Must(w.Client.Get(w.T.Context(), KeyOf(obj), obj))
		obj.SetFinalizers(nil)
		w.Must(w.Client.Update(w.T.Context(), obj))
		w.Must(client.IgnoreNotFound(w.Client.Delete(w.T.Context(), obj)))
		w.Must(testenv.WaitGone(w.T.Context(), w.Client, obj))
	}
	return saved
}

// Backup copies objects as they are stored.
func (w World) Backup(objects ...client.Object) []client.Object {
	w.T.Helper()
	var saved []client.Object
	for _, obj := range objects {
		stored := obj.DeepCopyObject().(client.Object)
		w.Must(w.Client.Get(w.T.Context(), KeyOf(obj), stored))
		saved = append(saved, stored)
	}
	return saved
}

// Restore creates an object from a backup: it has another UID and time of
// creation. With status, what the backup holds of that is written afterwards, in
// the times of the backup.
func Restore[T client.Object](w World, backup client.Object, status bool) T {
	w.T.Helper()
	obj := backup.DeepCopyObject().(client.Object)
	obj.SetUID("")
	obj.SetResourceVersion("")
	obj.SetManagedFields(nil)
	obj.SetFinalizers(nil)
	obj.SetCreationTimestamp(metav1.Time{})
	obj.SetGeneration(0)
	w.Create(obj)
	if status {
		w.RestoreStatus(obj, backup)
	}
	return obj.(T)
}

// RestoreStatus writes the status of a backup to an object that is there.
func (w World) RestoreStatus(obj, backup client.Object) {
	w.T.Helper()
	with := backup.DeepCopyObject().(client.Object)
	conditions := conditionsOf(with)
	for i := range conditions {
		conditions[i].LastTransitionTime = metav1.NewTime(conditions[i].LastTransitionTime.Add(-time.Hour))
	}
	w.UpdateStatus(obj, func() client.Object {
		with.SetUID(obj.GetUID())
		with.SetResourceVersion(obj.GetResourceVersion())
		return with
	})
}

// UpdateStatus writes the status of what change returns, once obj is as it is stored. The
// manager may write to the object meanwhile.
func (w World) UpdateStatus(obj client.Object, change func() client.Object) {
	w.T.Helper()
	w.Must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		if err := w.Client.Get(w.T.Context(), KeyOf(obj), obj); err != nil {
			return err
		}
		return w.Client.Status().Update(w.T.Context(), change())
	}))
}

func conditionsOf(obj client.Object) []metav1.Condition {
	own, ok := obj.(v1alpha1.Object)
	if !ok {
		return nil
	}
	_, conditions, _, _ := own.StatusFields()
	return *conditions
}

// CountEvents counts the events of a reason that regard an object.
func (w World) CountEvents(obj client.Object, reason string) int {
	w.T.Helper()
	var all eventsv1.EventList
	w.Must(w.Client.List(w.T.Context(), &all))
	n := 0
	for i := range all.Items {
		if all.Items[i].Reason == reason && all.Items[i].Regarding.UID == obj.GetUID() {
			n++
		}
	}
	return n
}

// AwaitAccountCondition waits until a condition of an AWSAccount is True.
func (w World) AwaitAccountCondition(obj *v1alpha1.AWSAccount, kind string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.AWSAccount) bool {
		return Condition(a.Status.Conditions, kind).Status == metav1.ConditionTrue
	})
	w.Must(err)
}

// AwaitNodeTag waits until a node carries a tag.
func (w World) AwaitNodeTag(id, key, value string) {
	w.T.Helper()
	w.Eventually(func() bool {
		n, ok := w.Node(id)
		return ok && n.Tags[key] == value
	})
}

// RestoreWithoutStatus creates an object from a backup that holds all but its status: the
// finalizers and the annotations are those of then.
func RestoreWithoutStatus[T client.Object](w World, backup client.Object) T {
	w.T.Helper()
	obj := backup.DeepCopyObject().(client.Object)
	obj.SetUID("")
	obj.SetResourceVersion("")
	obj.SetManagedFields(nil)
	obj.SetCreationTimestamp(metav1.Time{})
	obj.SetGeneration(0)
	w.Create(obj) // The API server drops the status.
	return obj.(T)
}

// Company is one object of each kind. All do something in AWS.
type Company struct {
	Account  *v1alpha1.AWSAccount
	tier     *v1alpha1.AccountTier
	Site     *v1alpha1.HybridActivation
	Document *v1alpha1.SessionDocument
	// toSite grants the nodes of the site, withDocument the use of the document.
	ToSite, WithDocument *v1alpha1.SessionAccess
}

// NewCompany is one object of each kind that works in AWS.
func NewCompany() Company {
	c := Company{
		Account: Account(AllowActivations()), tier: AccountTier(v1alpha1.TierAdvanced), Site: Activation("site"), Document: SessionDocument(),
		ToSite: Access("user01-site", "user01"), WithDocument: Access("user02-document", "user02", PC02),
	}
	c.ToSite.Spec.Targets = []v1alpha1.Target{{ActivationRef: &v1alpha1.LocalReference{Name: "site"}}}
	c.WithDocument.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "logged"}}}
	return c
}

// All are the objects of a company.
func (c Company) All() []client.Object {
	return []client.Object{c.Account, c.tier, c.Site, c.Document, c.ToSite, c.WithDocument}
}

// AwaitCompany waits until everything that a company declares is in place.
func (w World) AwaitCompany(c Company) {
	w.T.Helper()
	w.AwaitActivation(c.Site, v1alpha1.ReasonActivated)
	w.AwaitDocument(c.Document, v1alpha1.ReasonInPlace)
	w.AwaitTier(c.tier, v1alpha1.ReasonTierInForce)
	w.AwaitAccess(c.ToSite, v1alpha1.ReasonGranted)
	w.AwaitAccess(c.WithDocument, v1alpha1.ReasonGranted)
}

// LoseCompany stops the operator and loses every object, and the Secret with the
// activation's code.
func (w World) LoseCompany(m *testenv.Manager, c Company) []client.Object {
	w.T.Helper()
	w.Must(m.Stop())
	saved := w.LoseObjects(c.All()...)
	w.Must(client.IgnoreNotFound(w.Client.Delete(w.T.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: Team, Name: "site"}})))
	return saved
}
