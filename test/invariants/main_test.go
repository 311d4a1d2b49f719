package invariants_test

import (
	"context"
	"os"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

var (
	cluster *testenv.Cluster
	watcher *invariants.ClusterWatcher
)

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, &cluster, func() (func(), error) {
		var err error
		if watcher, err = invariants.Watch(context.Background(), cluster); err != nil {
			return nil, err
		}
		return watcher.Close, nil
	}))
}

// harness is a new harness on the cluster of all tests.
func harness(ctx context.Context) (*invariants.Harness, error) {
	return invariants.NewHarness(ctx, cluster, watcher)
}
