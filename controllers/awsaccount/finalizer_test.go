package awsaccount_test

import (
	"context"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A user who may create an object may give it the operator's finalizer.
func TestTheFinalizerOfAStrangerKeepsNoAccount(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Must(w.Namespace(t.Context(), "stranger", map[string]string{"team": "b"}))
	grant := scenario.Access("g", "user01", scenario.PC01)
	grant.Namespace, grant.Finalizers = "stranger", []string{v1alpha1.Finalizer}
	w.Create(scenario.Account(), grant)
	t.Cleanup(func() { w.Must(client.IgnoreNotFound(w.Client.Delete(context.Background(), grant))) })
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	w.AwaitAccess(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.Must(w.Client.Delete(t.Context(), scenario.Account()))
	w.Must(testenv.WaitGone(t.Context(), w.Client, scenario.Account()))
}
