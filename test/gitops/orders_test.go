package gitops_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// soon is how long a tool waits in these tests for what is going to happen.
const soon = "--timeout=90s"

// TestOrdersOfInstallationAndRemoval follows the table of docs/gitops.md, on one cluster
// after another as the rows are: each leaves the cluster for the next.
func TestOrdersOfInstallationAndRemoval(t *testing.T) {
	s := newSite(t, testenv.Options{})
	s.runWhileInstalled()
	for _, order := range []struct {
		name string
		run  func(*testing.T, site)
	}{
		{"everything is installed at once", installAtOnce},
		{"one object is pruned", pruneOne},
		{"the namespace of a team is deleted first", namespaceFirst},
		{"the account is deleted before what uses it", accountFirst},
		{"the objects are deleted at once", objectsAtOnce},
		{"the kinds are pruned together with their objects", kindsPruned},
		{"the operator is removed first", operatorFirst},
		{"the operator's namespace is deleted first", operatorNamespaceFirst},
		{"everything is removed at once", removeAtOnce},
	} {
		if !t.Run(order.name, func(t *testing.T) {
			in := s
			in.T = t
			order.run(t, in)
		}) {
			return
		}
	}
	s.flux(soon, "apply", s.kinds) // The next test shares the cluster.
}

// declare applies the sample, and waits until it is ready.
func (s *site) declare() {
	s.T.Helper()
	s.flux("apply", s.objects)
	s.flux(soon, "wait", s.objects)
	s.expectMayOpen(true, true)
}

// expectMayOpen checks which of user01 and user02 may open a session on their instance.
func (s *site) expectMayOpen(first, second bool) {
	s.T.Helper()
	if a, b := s.MayOpen("user01", scenario.PC01), s.MayOpen("user02", scenario.PC02); a != first || b != second {
		s.T.Errorf("user01 may open a session: %t, user02: %t; want %t and %t", a, b, first, second)
	}
}

// remove runs kubectl delete, which waits until the objects are gone.
func (s *site) remove(args ...string) {
	s.T.Helper()
	s.whileTimePasses(func() { s.kubectl(append(append([]string{"delete"}, args...), soon)...) })
}

// expectGone checks that the cluster holds no object of the sample.
func (s *site) expectGone() {
	s.T.Helper()
	if left := s.kubectl("get", "awsaccount,sessionaccess", "-A", "-o", "name"); left != "" {
		s.T.Errorf("these objects are left:\n%s", left)
	}
	s.expectMayOpen(false, false)
}

func installAtOnce(_ *testing.T, s site) {
	s.flux(soon, "apply", s.everything)
	s.flux(soon, "wait", s.objects)
	s.expectMayOpen(true, true)
}

func pruneOne(_ *testing.T, s site) {
	file := s.Checkout + "/config/samples/s1/sessionaccess-user01.yaml"
	s.flux("delete", file)
	s.whileTimePasses(func() { s.flux(soon, "gone", file) })
	s.expectMayOpen(false, true)
}

func namespaceFirst(t *testing.T, s site) {
	t.Helper()
	s.remove("namespace", scenario.Team)
	s.expectMayOpen(false, false)
	if _, err := testenv.WaitReady(t.Context(), s.Client, scenario.Account()); err != nil {
		t.Error(err)
	}
}

func accountFirst(t *testing.T, s site) {
	t.Helper()
	s.declare()
	s.kubectl("delete", "awsaccount", "main", "--wait=false")
	s.AwaitAccount(scenario.Account(), v1alpha1.ReasonInUse)
	s.expectMayOpen(true, true)
	s.remove("sessionaccess", "--all", "-n", scenario.Team)
	s.Must(testenv.WaitGone(t.Context(), s.Client, scenario.Account()))
	s.expectGone()
}

func objectsAtOnce(_ *testing.T, s site) {
	s.declare()
	s.remove("-k", "config/samples/s1")
	s.expectGone()
}

// kindsPruned also installs the kinds again: the operator continues with them.
func kindsPruned(_ *testing.T, s site) {
	s.declare()
	s.remove("-k", "config/crd")
	s.expectMayOpen(false, false)
	s.flux(soon, "apply", s.kinds)
	s.declare()
}

func operatorFirst(t *testing.T, s site) {
	t.Helper()
	s.flux("delete", s.operator)
	s.whileTimePasses(func() { s.flux(soon, "gone", s.operator) })
	s.kubectl("delete", "-k", "config/samples/s1", "--wait=false")
	s.expectStays(t)
	s.flux(soon, "apply", s.operator)
	s.whileTimePasses(func() { s.flux(soon, "gone", s.objects) })
	s.expectGone()
}

// expectStays checks that nothing is lost while no operator runs: the objects wait, and
// keep the record of what is granted.
func (s *site) expectStays(t *testing.T) {
	t.Helper()
	for _, name := range []string{"user01-pc01", "user02-pc02"} {
		access := &v1alpha1.SessionAccess{}
		s.Must(s.Client.Get(t.Context(), client.ObjectKey{Namespace: scenario.Team, Name: name}, access))
		if access.DeletionTimestamp.IsZero() || access.Status.Applied == nil {
			t.Errorf("SessionAccess %s is not being deleted, or has lost its record", name)
		}
	}
	s.expectMayOpen(true, true)
}

func operatorNamespaceFirst(t *testing.T, s site) {
	t.Helper()
	s.declare()
	s.remove("namespace", operatorNamespace)
	s.kubectl("delete", "-k", "config/samples/s1", "--wait=false")
	s.expectStays(t)
	s.flux(soon, "apply", s.operator)
	s.whileTimePasses(func() { s.flux(soon, "gone", s.objects) })
	s.expectGone()
}

// removeAtOnce follows docs/operations.md, "Done the wrong way round".
func removeAtOnce(_ *testing.T, s site) {
	s.declare()
	s.flux("delete", s.everything)
	s.kubectl("wait", "--for=delete", "namespace/"+operatorNamespace, soon)
	s.kubectl("apply", "--server-side", "-k", "config/default")
	s.whileTimePasses(func() { s.flux(soon, "gone", s.objects) })
	s.expectMayOpen(false, false)
	s.remove("-k", "config/default", "--ignore-not-found")
	if left := s.kubectl("get", "crd", "-o", "name"); strings.Contains(left, v1alpha1.GroupVersion.Group) {
		s.T.Errorf("these kinds are left:\n%s", left)
	}
}
