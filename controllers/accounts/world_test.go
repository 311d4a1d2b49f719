package accounts_test

import (
	"os"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }

// world is scenario.World with what the tests of this package alone need.
type world struct{ scenario.World }

func newWorld(t *testing.T, o testenv.ManagerOptions) world {
	t.Helper()
	return world{scenario.New(t, o)}
}

func worldWithoutManager(t *testing.T) world {
	t.Helper()
	return world{scenario.NewWithoutManager(t)}
}
