package proof_test

import (
	"context"
	"os"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/proof"
	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv"
)

var (
	cluster *testenv.Cluster
	lens    *proof.Lens
)

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, &cluster, func() (func(), error) {
		var err error
		if lens, err = proof.Watch(context.Background(), cluster); err != nil {
			return nil, err
		}
		return lens.Close, nil
	}))
}

// bed is a new bed on the cluster of all tests.
func bed(ctx context.Context) (*proof.Bed, error) { return proof.NewBed(ctx, cluster, lens) }
