package testenv_test

import (
	"os"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

var cluster *testenv.Cluster

func TestMain(m *testing.M) { os.Exit(testenv.Main(m, &cluster)) }
