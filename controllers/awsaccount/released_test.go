package awsaccount_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// Nothing of the object is left in AWS: a tenant's own finalizer keeps it.
func TestAFinalizerOfATenantKeepsNoAWSAccount(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(), scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Finalizers = []string{"tenant.example/keep"}
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	_, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool { return len(a.Finalizers) == 1 })
	w.Must(err)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesNone}
	})
	w.Must(w.Client.Delete(t.Context(), main))
	w.Must(testenv.WaitGone(t.Context(), w.Client, main))
}
