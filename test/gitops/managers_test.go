package gitops_test

import (
	"path/filepath"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// TestManagersOfTheChartServeEachTheirOwn runs what the Deployments of the chart run, with
// the chart's rights: two managers that divide the accounts, each with a lease of its own.
func TestManagersOfTheChartServeEachTheirOwn(t *testing.T) {
	s := newSite(t, testenv.Options{Fixture: scenario.TwoAccounts()})
	out, ok := s.tools.run(t, s.tools.helm, "install", "ssm-access", filepath.Join(s.Checkout, "charts", "ssm-access-operator"),
		"--namespace", operatorNamespace, "--create-namespace",
		"--set", "managers[0].name=a,managers[0].accountSelector=shard=a,managers[1].name=rest,managers[1].accountSelector=!shard")
	if !ok {
		t.Fatal(out)
	}
	binary := filepath.Join(t.TempDir(), "manager")
	s.Must(testenv.BuildManager(t.Context(), binary))
	s.Must(s.Namespace(t.Context(), scenario.Team, map[string]string{"team": "a"}))
	main, other := scenario.Account(scenario.Shard("a")), scenario.OtherAccount()
	mine, theirs := scenario.Access("mine", "user01", scenario.PC01), scenario.Access("theirs", "user01", scenario.PC01)
	theirs.Spec.AccountRef.Name = other.Name
	s.Create(main, other, mine, theirs)

	first := s.runDeployment(binary, "ssm-access-manager-a")
	s.AwaitAccess(mine, v1alpha1.ReasonGranted)
	s.expectUnseen(theirs)
	s.runDeployment(binary, "ssm-access-manager-rest")
	s.AwaitAccess(theirs, v1alpha1.ReasonGranted)
	for _, lease := range []string{"manager-a.ssm-access.dev", "manager-rest.ssm-access.dev"} {
		s.Must(s.Client.Get(t.Context(), client.ObjectKey{Namespace: operatorNamespace, Name: lease}, &coordinationv1.Lease{}))
	}

	s.Must(first.Stop())
	unserved, served := scenario.Access("unserved", "user01", scenario.PC02), scenario.Access("served", "user01", scenario.PC02)
	served.Spec.AccountRef.Name = other.Name
	s.Create(unserved, served)
	s.AwaitAccess(served, v1alpha1.ReasonGranted)
	s.expectUnseen(unserved)
}

// runDeployment runs the container of a Deployment as the chart's service account.
func (s *site) runDeployment(binary, name string) *testenv.Process {
	s.T.Helper()
	var deployment appsv1.Deployment
	s.Must(s.Client.Get(s.T.Context(), client.ObjectKey{Namespace: operatorNamespace, Name: name}, &deployment))
	process, err := s.StartProcess(testenv.ProcessOptions{
		Binary: binary,
		Args: append(slices.Clone(deployment.Spec.Template.Spec.Containers[0].Args),
			"--metrics-bind-address=127.0.0.1:0", "--health-probe-bind-address=127.0.0.1:0", "--leader-election-namespace="+operatorNamespace),
	})
	s.Must(err)
	return process
}

// expectUnseen checks that no manager has reconciled an object.
func (s *site) expectUnseen(access *v1alpha1.SessionAccess) {
	s.T.Helper()
	if got := fetch(s.World, access); len(got.Status.Conditions) > 0 || len(got.Finalizers) > 0 {
		s.T.Errorf("a manager that does not select its account has reconciled SessionAccess %s: %v", got.Name, got.Status.Conditions)
	}
}
