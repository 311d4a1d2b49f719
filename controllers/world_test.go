package controllers_test

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
