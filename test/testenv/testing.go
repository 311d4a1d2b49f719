package testenv

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// Main runs the tests of a package on one Cluster, which it stores in cluster
// before the first of them. It is for TestMain:
//
//	var cluster *testenv.Cluster
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m, &cluster)) }
//
// Each of begin runs before the first test, and what it returns after the last.
func Main(m *testing.M, cluster **Cluster, begin ...func() (end func(), err error)) (code int) {
	ctrllog.SetLogger(logr.Discard())
	started, err := BorrowCluster(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "start a cluster for the tests:", err)
		return 1
	}
	*cluster = started
	defer func() {
		if err := started.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the cluster of the tests:", err)
			code = max(code, 1)
		}
	}()
	for _, f := range begin {
		end, err := f()
		if err != nil {
			fmt.Fprintln(os.Stderr, "begin the tests:", err)
			return 1
		}
		defer end() //nolint:gocritic // They are few, and end with the tests.
	}
	return m.Run()
}

// New starts an Env for a test, which closes it at its end.
func New(t *testing.T, o Options) *Env {
	t.Helper()
	e, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// Manager starts the operator in this process for a test.
func (e *Env) Manager(t *testing.T, o ManagerOptions) *Manager {
	t.Helper()
	m, err := e.StartManager(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
