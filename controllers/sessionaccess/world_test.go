package sessionaccess_test

import (
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }

// world is scenario.World with what the tests of this package alone need.
type world struct{ scenario.World }

func newDocumentsWorld(t *testing.T, o testenv.ManagerOptions, before ...func(*fixtures.Account)) world {
	t.Helper()
	return world{scenario.NewForDocuments(t, o, before...)}
}

func newWorld(t *testing.T, o testenv.ManagerOptions) world {
	t.Helper()
	return world{scenario.New(t, o)}
}

func tierWorld(t *testing.T, nodes int, o testenv.ManagerOptions) world {
	t.Helper()
	return world{scenario.NewForTiers(t, nodes, o)}
}

func worldOf(t *testing.T, o testenv.Options) world {
	t.Helper()
	return world{scenario.NewWith(t, o)}
}

func worldOfDocuments(t *testing.T, before ...func(*fixtures.Account)) world {
	t.Helper()
	return world{scenario.NewForDocumentsWithoutManager(t, before...)}
}

func worldWithoutManager(t *testing.T) world {
	t.Helper()
	return world{scenario.NewWithoutManager(t)}
}

// activeIs waits until Active of a SessionAccess has a reason.
func (w world) activeIs(obj *v1alpha1.SessionAccess, reason string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionActive).Reason == reason
	})
	w.Must(err)
}

// noticed waits until a SessionAccess has a condition that is True.
func (w world) noticed(obj *v1alpha1.SessionAccess, kind string) metav1.Condition {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, kind).Status == metav1.ConditionTrue
	})
	w.Must(err)
	return scenario.Condition(got.Status.Conditions, kind)
}
