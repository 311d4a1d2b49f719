package sessionaccess

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// What an object left has no namespace, and its activations are those of the object's.
func TestAPendingRevocationReachesNoMachineOfAnotherNamespace(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	account := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "main"}}
	account.Status.PendingRevocations = []v1alpha1.PendingRevocation{{UID: "left", Namespace: "team-a", Name: "g", Grants: []v1alpha1.ResolvedGrant{{
		Targets: []v1alpha1.ResolvedTarget{{Tags: map[string]string{v1alpha1.TagActivation: "gone"}}},
	}}}}
	activation := func(namespace, uid string) *v1alpha1.HybridActivation {
		return &v1alpha1.HybridActivation{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "site", UID: types.UID(uid)}}
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(account, activation("team-a", "a"), activation("team-b", "b")).Build()
	v := revocation{Reconciler: &Reconciler{Options: reconcile.Options{Client: c}}, Revocation: &grants.PendingRevocations(account)[0]}
	lost, err := v.withReplaced(t.Context(), account.Status.PendingRevocations[0].Grants)
	if err != nil {
		t.Fatal(err)
	}
	var uids []string
	for i := range lost[0].Targets {
		uids = append(uids, lost[0].Targets[i].Tags[v1alpha1.TagActivation])
	}
	if len(uids) != 2 || uids[0] != "gone" || uids[1] != "a" {
		t.Errorf("the machines of %q are lost", uids)
	}
}
