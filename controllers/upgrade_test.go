package controllers_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// writeStatus puts a status that an earlier version wrote into an object.
func (w world) writeStatus(obj client.Object, file string) {
	w.T.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "3e5a03c", "status", file))
	w.Must(err)
	w.Must(w.Client.Status().Patch(w.T.Context(), obj, client.RawPatch(types.MergePatchType, data)))
}

// writeConditions renames the conditions of an object.
func (w world) writeConditions(account *v1alpha1.AWSAccount, names *strings.Replacer) {
	w.T.Helper()
	got := &v1alpha1.AWSAccount{}
	w.Must(w.Client.Get(w.T.Context(), scenario.KeyOf(account), got))
	for i := range got.Status.Conditions {
		got.Status.Conditions[i].Type = names.Replace(got.Status.Conditions[i].Type)
	}
	data, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": got.Status.Conditions}})
	w.Must(err)
	w.Must(w.Client.Status().Patch(w.T.Context(), got, client.RawPatch(types.MergePatchType, data)))
}

// stored is what the API server holds of objects.
func (w world) stored(objects ...client.Object) []*unstructured.Unstructured {
	w.T.Helper()
	all := make([]*unstructured.Unstructured, len(objects))
	for i, obj := range objects {
		gvk, err := w.Client.GroupVersionKindFor(obj)
		w.Must(err)
		all[i] = &unstructured.Unstructured{}
		all[i].SetGroupVersionKind(gvk)
		w.Must(w.Client.Get(w.T.Context(), scenario.KeyOf(obj), all[i]))
	}
	return all
}

// Commit 3e5a03c wrote the objects, under its CRDs: all kinds, 63 former grants
// of one object, a spec whose record never fitted, and the pending revocations of an account.
func TestNothingThatAnEarlierVersionRecordedIsLost(t *testing.T) {
	w := worldOfDocuments(t)
	w.install(earlierCRDs)
	earlier := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	main := scenario.Account(scenario.AllowActivations(), scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}}), scenario.AllowForceDeletion)
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{scenario.Sharee} })
	tier, sites := scenario.AccountTier(v1alpha1.TierAdvanced), scenario.Activation("sites")
	plain, pending, large := scenario.Access("plain", "user01", scenario.PC01), scenario.Access("pending", "user01", scenario.PC02), scenario.Access("large", "user02", scenario.PC02)
	w.Create(main, doc, tier, sites, plain, pending, large)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.AwaitActivation(sites, v1alpha1.ReasonActivated)
	for _, grant := range []*v1alpha1.SessionAccess{plain, pending, large} {
		w.AwaitAccess(grant, v1alpha1.ReasonGranted)
		w.AwaitNodesChecked(grant)
	}
	w.Must(earlier.Stop())
	w.writeStatus(pending, "revoking.json")
	w.writeStatus(main, "owed.json")
	w.writeConditions(main, strings.NewReplacer(v1alpha1.ConditionSessionsListable, "SessionListing"))
	scenario.Change(w.World, large, func(a *v1alpha1.SessionAccess) { a.Spec.Targets = scenario.WordyTags(18, 50, "漢") })
	former, lost := w.OpenSession(scenario.UserARN("user02"), scenario.PC01), w.OpenSession(scenario.UserARN("user02"), scenario.PC02)

	objects := []client.Object{main, doc, tier, sites, plain, pending, large}
	before := w.stored(objects...)
	w.install(presentCRDs)
	// The one field that has a default since.
	w.Must(unstructured.SetNestedField(before[0].Object, string(v1alpha1.RecreatedHold), "spec", "recreatedPrincipals"))
	for i, after := range w.stored(objects...) {
		for _, part := range []string{"spec", "status", "metadata"} {
			if !equality.Semantic.DeepEqual(before[i].Object[part], after.Object[part]) {
				t.Errorf("the %s of %s %s is %.500v under the present CRDs, and was %.500v", part, after.GetKind(), after.GetName(), after.Object[part], before[i].Object[part])
			}
		}
	}
	if items := w.AwaitPendingRevocations(1).Status.PendingRevocations; len(items[0].Grants) != 1 || items[0].ForcedAt.IsZero() {
		t.Errorf("the pending revocation is %+v", items[0])
	}
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.AwaitSessionEnd(former)
	w.Eventually(func() bool { return !w.MayOpen("user02", scenario.PC02) })
	w.AwaitSessionEnd(lost)
	w.AwaitAccess(large, v1alpha1.ReasonRecordTooLarge)
	gone := func(r *v1alpha1.RevocationStatus) bool { return r != nil && !r.PermissionGoneAt.IsZero() }
	_, err := testenv.WaitFor(t.Context(), w.Client, pending, func(a *v1alpha1.SessionAccess) bool { return gone(a.Status.Revocation) })
	w.Must(err)
	_, err = testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return len(a.Status.PendingRevocations) == 0 || gone(a.Status.PendingRevocations[0].Revocation)
	})
	w.Must(err)
	w.Advance(scenario.Window, plain, pending, large, main)
	_, err = testenv.WaitFor(t.Context(), w.Client, pending, func(a *v1alpha1.SessionAccess) bool { return len(a.Status.Applied.Revoking) == 0 })
	w.Must(err)
	w.AwaitPendingRevocations(0)
	w.AwaitEvent(main, v1alpha1.ReasonPendingRevocationCompleted)
	if status := w.stored(main)[0].Object["status"].(map[string]any); status["owed"] != nil {
		t.Errorf("the former record is still stored: %v", status["owed"])
	} else if conditions := fmt.Sprint(status["conditions"]); !strings.Contains(conditions, "type:SessionsListable") || strings.Contains(conditions, "type:SessionListing") {
		t.Errorf("the conditions are %s", conditions)
	}
	w.ExpectAccess(true, true, false, false)

	w.narrowAndDelete(plain, pending, large, doc, tier, sites)
}

// narrowAndDelete checks that a narrowing and a deletion of every kind still end
// what was in AWS.
func (w world) narrowAndDelete(plain, pending, large *v1alpha1.SessionAccess, doc *v1alpha1.SessionDocument, tier *v1alpha1.AccountTier, sites *v1alpha1.HybridActivation) {
	w.T.Helper()
	scenario.Change(w.World, plain, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{scenario.PC02}}}
	})
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.SharedWith = nil })
	w.Eventually(func() bool { return len(w.DocumentInAWS(scenario.LoggedDocument).Shares) == 0 })
	objects := []client.Object{plain, pending, large, doc, tier, sites}
	for _, obj := range objects {
		w.Must(w.Client.Delete(w.T.Context(), obj))
	}
	w.Eventually(func() bool { return len(w.OwnedPolicies()) == 0 })
	w.Eventually(func() bool { return w.SSM().Tier() == "standard" })
	w.Advance(scenario.Window, plain, pending, large, doc, tier, sites)
	for _, obj := range objects {
		w.Must(testenv.WaitGone(w.T.Context(), w.Client, obj))
	}
	scenario.ExpectEqual(w.T, "the activations in AWS", len(w.Activations()), 0)
	if w.DocumentInAWS(scenario.LoggedDocument) != nil {
		w.T.Error("the document is still in AWS")
	}
}
