package accounttier_test

import (
	"os"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }
