package controllers_test

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// writeStatus puts a status that an earlier version wrote into an object.
func (w world) writeStatus(obj client.Object, file string) {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "3e5a03c", "status", file))
	w.must(err)
	w.must(w.Client.Status().Patch(w.t.Context(), obj, client.RawPatch(types.MergePatchType, data)))
}

// stored is what the API server holds of objects.
func (w world) stored(objects ...client.Object) []*unstructured.Unstructured {
	w.t.Helper()
	all := make([]*unstructured.Unstructured, len(objects))
	for i, obj := range objects {
		gvk, err := w.Client.GroupVersionKindFor(obj)
		w.must(err)
		all[i] = &unstructured.Unstructured{}
		all[i].SetGroupVersionKind(gvk)
		w.must(w.Client.Get(w.t.Context(), keyOf(obj), all[i]))
	}
	return all
}

// Commit 3e5a03c wrote the objects, under its CRDs: all kinds, 63 former grants
// of one object, a spec whose record never fitted, and the pending revocations of an account.
func TestNothingThatAnEarlierVersionRecordedIsLost(t *testing.T) {
	w := worldOfDocuments(t)
	w.install(earlierCRDs)
	earlier := w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	main := account(allowActivations(), allowing(v1alpha1.DocumentRule{ShareWith: []v1alpha1.AccountID{sharee}}), mayAbandon)
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.AccountID{sharee} })
	tier, sites := accountTier(v1alpha1.TierAdvanced), activation("sites")
	plain, pending, large := access("plain", "user01", pc01), access("pending", "user01", pc02), access("large", "user02", pc02)
	w.create(main, doc, tier, sites, plain, pending, large)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.activationIs(sites, v1alpha1.ReasonActivated)
	for _, grant := range []*v1alpha1.SessionAccess{plain, pending, large} {
		w.accessIs(grant, v1alpha1.ReasonGranted)
		w.looked(grant)
	}
	w.must(earlier.Stop())
	w.writeStatus(pending, "revoking.json")
	w.writeStatus(main, "owed.json")
	change(w, large, func(a *v1alpha1.SessionAccess) { a.Spec.Targets = wordyTags(18, 50, "漢") })
	former, lost := w.open(user("user02"), pc01), w.open(user("user02"), pc02)

	objects := []client.Object{main, doc, tier, sites, plain, pending, large}
	before := w.stored(objects...)
	w.install(presentCRDs)
	// The one field that has a default since.
	w.must(unstructured.SetNestedField(before[0].Object, string(v1alpha1.RecreatedHold), "spec", "recreatedPrincipals"))
	for i, after := range w.stored(objects...) {
		for _, part := range []string{"spec", "status", "metadata"} {
			if !equality.Semantic.DeepEqual(before[i].Object[part], after.Object[part]) {
				t.Errorf("the %s of %s %s is %.500v under the present CRDs, and was %.500v", part, after.GetKind(), after.GetName(), after.Object[part], before[i].Object[part])
			}
		}
	}
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.untilEnded(former)
	w.until(func() bool { return !w.may("user02", pc02) })
	w.untilEnded(lost)
	w.accessIs(large, v1alpha1.ReasonRecordTooLarge)
	gone := func(r *v1alpha1.RevocationStatus) bool { return r != nil && !r.PermissionGoneAt.IsZero() }
	_, err := testenv.WaitFor(t.Context(), w.Client, pending, func(a *v1alpha1.SessionAccess) bool { return gone(a.Status.Revocation) })
	w.must(err)
	_, err = testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return len(a.Status.Owed) == 0 || gone(a.Status.Owed[0].Revocation)
	})
	w.must(err)
	w.advance(testWindow, plain, pending, large, main)
	_, err = testenv.WaitFor(t.Context(), w.Client, pending, func(a *v1alpha1.SessionAccess) bool { return len(a.Status.Applied.Revoking) == 0 })
	w.must(err)
	w.owes(0)
	w.grid(true, true, false, false)

	w.narrowAndDelete(plain, pending, large, doc, tier, sites)
}

// narrowAndDelete checks that a narrowing and a deletion of every kind still end
// what was in AWS.
func (w world) narrowAndDelete(plain, pending, large *v1alpha1.SessionAccess, doc *v1alpha1.SessionDocument, tier *v1alpha1.AccountTier, sites *v1alpha1.HybridActivation) {
	w.t.Helper()
	change(w, plain, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{pc02}}}
	})
	w.until(func() bool { return !w.may("user01", pc01) })
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.SharedWith = nil })
	w.until(func() bool { return len(w.inAWS(logged).Shares) == 0 })
	objects := []client.Object{plain, pending, large, doc, tier, sites}
	for _, obj := range objects {
		w.must(w.Client.Delete(w.t.Context(), obj))
	}
	w.until(func() bool { return len(w.ourPolicies()) == 0 })
	w.until(func() bool { return w.regional().Tier() == "standard" })
	w.advance(testWindow, plain, pending, large, doc, tier, sites)
	for _, obj := range objects {
		w.must(testenv.WaitGone(w.t.Context(), w.Client, obj))
	}
	same(w.t, "the activations in AWS", len(w.allActivations()), 0)
	if w.inAWS(logged) != nil {
		w.t.Error("the document is still in AWS")
	}
}
