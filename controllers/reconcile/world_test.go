package reconcile_test

import (
	"os"
	"testing"

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
