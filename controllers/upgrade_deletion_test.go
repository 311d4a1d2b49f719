package controllers_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The objects have the former names of deletionPolicy and nodeDeletionPolicy, and each a
// value that is not the default.
func TestWhatAnEarlierVersionDeclaredForADeletionIsDone(t *testing.T) {
	w := worldOfDocuments(t)
	w.install(earlierCRDs)
	earlier := w.Manager(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.OnDelete = v1alpha1.DeletionKeep })                  //nolint:staticcheck // The former name.
	tier := scenario.AccountTier(v1alpha1.TierAdvanced, func(a *v1alpha1.AccountTier) { a.Spec.OnDelete = v1alpha1.DeletionKeep }) //nolint:staticcheck // The former name.
	sites := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) { s.OnDelete.Nodes = v1alpha1.NodesDeregister })  //nolint:staticcheck // The former name.
	main := scenario.Account(scenario.AllowActivations())
	w.Create(main, doc, tier, sites)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.AwaitActivation(sites, v1alpha1.ReasonActivated)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: scenario.Team, Name: "sites"}}
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(secret), secret))
	node := w.RegisterMachine(secret)
	w.Must(earlier.Stop())

	w.install(presentCRDs)
	w.Manager(t, testenv.ManagerOptions{})
	objects := []client.Object{doc, tier, sites}
	for _, obj := range objects {
		w.Must(w.Client.Delete(t.Context(), obj))
	}
	w.Eventually(func() bool { _, there := w.Node(node); return !there })
	w.Advance(scenario.Window, sites)
	for _, obj := range objects {
		w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
	}
	if w.DocumentInAWS(scenario.LoggedDocument) == nil {
		t.Error("the document is gone, and it was to be kept")
	}
	scenario.ExpectEqual(t, "the tier", w.SSM().Tier(), "advanced")
}
