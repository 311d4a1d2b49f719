package scenario

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// shared is the cluster of the package under test, once one of its tests needs it.
var shared struct {
	sync.Mutex

	cluster *testenv.Cluster
	err     error
}

// Main runs the tests of a package, and stops the cluster that they used. It is
// for TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }
func Main(m *testing.M) (code int) {
	ctrllog.SetLogger(logr.Discard())
	defer func() {
		if shared.cluster == nil {
			return
		}
		if err := shared.cluster.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the cluster of the tests:", err)
			code = max(code, 1)
		}
	}()
	return m.Run()
}

// Cluster is the cluster that the tests of a package use in turn. It is borrowed
// or started for the first test that asks, because many packages also have tests
// and fuzz targets that need none.
func Cluster(t *testing.T) *testenv.Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		// It outlives the test.
		shared.cluster, shared.err = testenv.BorrowCluster(context.Background())
	}
	if shared.err != nil {
		t.Fatal("start a cluster for the tests: ", shared.err)
	}
	return shared.cluster
}
