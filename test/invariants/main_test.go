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
	lens    *invariants.Lens
)

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, &cluster, func() (func(), error) {
		var err error
		if lens, err = invariants.Watch(context.Background(), cluster); err != nil {
			return nil, err
		}
		return lens.Close, nil
	}))
}

// bed is a new bed on the cluster of all tests.
func bed(ctx context.Context) (*invariants.Bed, error) { return invariants.NewBed(ctx, cluster, lens) }
