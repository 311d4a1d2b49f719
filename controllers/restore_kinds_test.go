package controllers_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// withoutStatus creates an object from a backup that holds all but its status: the
// finalizers and the annotations are those of then.
func withoutStatus[T client.Object](w world, backup client.Object) T {
	w.t.Helper()
	obj := backup.DeepCopyObject().(client.Object)
	obj.SetUID("")
	obj.SetResourceVersion("")
	obj.SetManagedFields(nil)
	obj.SetCreationTimestamp(metav1.Time{})
	obj.SetGeneration(0)
	w.create(obj) // The API server drops the status.
	return obj.(T)
}

func TestADocumentFromABackupWithoutStatusIsTakenBack(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.AccountID{sharee} })
	w.create(account(allowing(v1alpha1.DocumentRule{ShareWith: []v1alpha1.AccountID{sharee}})), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.must(m.Stop())
	saved := w.backup(doc)
	w.vanish(doc)
	doc = withoutStatus[*v1alpha1.SessionDocument](w, saved[0])
	w.Manager(t, testenv.ManagerOptions{})
	got := w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.announced(doc, v1alpha1.ReasonRestored)
	same(t, "whose it is", w.inAWS(logged).Tags[uidTag], string(doc.UID))
	same(t, "whose the status is", got.Status.UID, string(doc.UID))
	same(t, "the newest version", w.inAWS(logged).Latest().Number, 1)
	same(t, "how many accounts share it", len(w.inAWS(logged).Shares), 1)
	w.deleteAndWait(doc)
	w.goneFromAWS(logged)
}

// The code in the Secret of the backup may have been read meanwhile, and no object owns the
// Secret: the operator does not touch it.
func TestAnActivationFromABackupWithoutStatusGetsItsNodesAndAnotherCode(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	site, grant := activation("site"), newCompany().toSite
	first := w.activated(site, account(allowActivations()))
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	node := w.register(w.secret("site"))
	w.must(m.Stop())
	saved, code := w.backup(site), w.secret("site")
	w.vanish(site)
	w.must(client.IgnoreNotFound(w.Client.Delete(t.Context(), secretObject("site"))))
	w.must(testenv.WaitGone(t.Context(), w.Client, secretObject("site")))
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "site"}, Data: code.Data})
	site = withoutStatus[*v1alpha1.HybridActivation](w, saved[0])
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.activationIs(site, v1alpha1.ReasonSecretConflict)
	same(t, "the code in the Secret", string(w.secret("site").Data["activation-id"]), first.Status.ActivationID)
	w.must(w.Client.Delete(t.Context(), secretObject("site")))
	w.touch(site)
	got := w.activationIs(site, v1alpha1.ReasonActivated)
	same(t, "whose the status is", got.Status.UID, string(site.UID))
	if got.Status.ActivationID == first.Status.ActivationID {
		t.Error("the code of before the loss is in use again")
	}
	w.nodeHas(node, v1alpha1.TagActivation, string(site.UID))
	w.until(func() bool { return w.may("user01", node) })
}

// What etcd held: the same UID, and the status of then.

func TestAnOlderStatusOfADocumentIsContinued(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	doc := sessionDocument()
	w.create(account(), doc)
	old := w.documentIs(doc, v1alpha1.ReasonInPlace)
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "id" })
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.must(m.Stop())
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec = *old.Spec.DeepCopy() })
	for i := range old.Status.Conditions {
		old.Status.Conditions[i].ObservedGeneration = doc.Generation
	}
	old.Status.ObservedGeneration = doc.Generation
	w.putBackStatus(doc, old)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.until(func() bool {
		profile, _ := inputsOf(t, w.inAWS(logged))["shellProfile"].(map[string]any)
		return profile["linux"] == "date"
	})
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.deleteAndWait(doc)
	w.goneFromAWS(logged)
}

func TestAnOlderStatusOfAnAccountTierIsContinued(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(account(), tier)
	old := w.tierIs(tier, v1alpha1.ReasonTierInForce)
	change(w, tier, func(a *v1alpha1.AccountTier) { a.Spec.Tier = v1alpha1.TierStandard })
	w.until(func() bool { return w.regional().Tier() == "standard" })
	w.must(m.Stop())
	change(w, tier, func(a *v1alpha1.AccountTier) { a.Spec.Tier = v1alpha1.TierAdvanced })
	w.putBackStatus(tier, old)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.until(func() bool { return w.regional().Tier() == "advanced" })
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.deleteTier(tier)
	w.until(func() bool { return w.regional().Tier() == "standard" })
}

func TestAnOlderStatusOfAnAWSAccountChangesNothing(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, grant := account(), access("user01-pc01", "user01", pc01)
	w.create(main)
	old := w.accountIs(main, v1alpha1.ReasonVerified)
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(m.Stop())
	before := w.writes()
	w.must(w.Client.Get(t.Context(), keyOf(main), main))
	w.putBackStatus(main, old)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	seen := w.LastCall()
	w.untilCall(seen, "GetAccountAuthorizationDetails")
	w.untilCall(w.LastCall(), "GetAccountAuthorizationDetails") // The resync before is over.
	w.accountIs(main, v1alpha1.ReasonVerified)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	if n := w.writes() - before; n != 0 {
		t.Errorf("IAM was written %d times, and nothing was to change", n)
	}
	w.grid(true, false, false, false)
}
