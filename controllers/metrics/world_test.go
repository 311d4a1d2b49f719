package metrics_test

import (
	"os"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }

// world is scenario.World with what the tests of this package alone need.
type world struct{ scenario.World }

func worldWithoutManager(t *testing.T) world {
	t.Helper()
	return world{scenario.NewWithoutManager(t)}
}
