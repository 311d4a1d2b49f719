package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/controlplane"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/controlplane/lend"
)

// ClusterOptions say how StartCluster starts. The zero value is usable.
type ClusterOptions struct {
	// WorkDir is an existing directory for the data of the control plane, which
	// Stop removes again. Empty: the system's directory for temporary files.
	WorkDir string
	// Log receives what the control plane's processes print. Nil: nothing is kept.
	Log io.Writer
}

// Cluster is a control plane that serves the project's kinds.
type Cluster struct {
	// Checkout is the root directory of the checkout.
	Checkout string
	// Client reads and writes as the cluster's administrator, past any cache.
	Client client.WithWatch
	// Config authenticates as the cluster's administrator.
	Config *rest.Config
	// KubeconfigPath is a file with the same credentials.
	KubeconfigPath string
	// KubectlPath is a kubectl that supports the control plane's version.
	KubectlPath string

	operatorKubeconfig string

	etcdURL string
	stop    func() error
	// free holds a token while no Env is on the cluster.
	free chan struct{}
}

// StartCluster starts a control plane and installs the CRDs of the checkout
// that encloses the current directory. ctx bounds the start alone.
func StartCluster(ctx context.Context, o ClusterOptions) (*Cluster, error) {
	plane, stop, err := startPlane(ctx, o)
	if err != nil {
		return nil, err
	}
	return useCluster(ctx, plane, stop)
}

// BorrowCluster is a control plane that the packages of a test run use in turn,
// or one of its own where there is none to borrow. It is empty of the project's
// kinds. ctx bounds the start alone.
func BorrowCluster(ctx context.Context) (*Cluster, error) {
	plane, giveBack, borrowed, err := lend.Borrow(ctx)
	if err != nil {
		return nil, err
	}
	if !borrowed {
		return StartCluster(ctx, ClusterOptions{})
	}
	cluster, err := useCluster(ctx, plane, giveBack)
	if err != nil {
		return nil, err
	}
	// The tests before may have ended without cleaning up.
	if err := cluster.clear(ctx); err != nil {
		return nil, errors.Join(err, cluster.Stop())
	}
	return cluster, nil
}

// StartPlane starts a control plane for a lend.Lender.
func StartPlane(ctx context.Context) (plane lend.Plane, stop func() error, err error) {
	return startPlane(ctx, ClusterOptions{})
}

func startPlane(ctx context.Context, o ClusterOptions) (lend.Plane, func() error, error) {
	root, err := Checkout(ctx)
	if err != nil {
		return lend.Plane{}, nil, err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{
		CRDDir:  filepath.Join(root, "config", "crd", "bases"),
		WorkDir: o.WorkDir,
		Log:     o.Log,
	})
	if err != nil {
		return lend.Plane{}, nil, err
	}
	return lend.Plane{
		KubeconfigPath: plane.KubeconfigPath, KubectlPath: plane.KubectlPath, EtcdURL: plane.EtcdURL(),
	}, plane.Stop, nil
}

// useCluster makes a Cluster of a control plane, which it stops when that fails.
func useCluster(ctx context.Context, plane lend.Plane, stop func() error) (*Cluster, error) {
	cluster := &Cluster{
		KubeconfigPath: plane.KubeconfigPath, KubectlPath: plane.KubectlPath,
		etcdURL: plane.EtcdURL, stop: stop, free: make(chan struct{}, 1),
	}
	if err := cluster.connect(ctx); err != nil {
		return nil, errors.Join(err, stop())
	}
	cluster.free <- struct{}{}
	return cluster, nil
}

// connect makes the cluster's clients and gives the operator its role.
func (c *Cluster) connect(ctx context.Context) (err error) {
	if c.Checkout, err = Checkout(ctx); err != nil {
		return err
	}
	if c.Config, err = clientcmd.BuildConfigFromFlags("", c.KubeconfigPath); err != nil {
		return fmt.Errorf("read the kubeconfig of the control plane: %w", err)
	}
	// As envtest has it: tests ask for much at once.
	c.Config.QPS, c.Config.Burst = 1000, 2000
	if c.Client, err = client.NewWithWatch(c.Config, client.Options{Scheme: newScheme()}); err != nil {
		return fmt.Errorf("make a client of the control plane: %w", err)
	}
	return c.bindOperator(ctx)
}

// Stop ends the control plane, or gives back a borrowed one. Every Env must be
// closed.
func (c *Cluster) Stop() error { return c.stop() }

// newScheme knows the kinds of Kubernetes and of the operator.
func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		panic(err) // The kinds are part of the program.
	}
	return scheme
}

// Checkout is the root directory of the module that encloses the current
// directory.
func Checkout(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the checkout with \"go env GOMOD\": %w", err)
	}
	gomod := strings.TrimSpace(string(out))
	if filepath.Base(gomod) != "go.mod" {
		return "", errors.New("the current directory is in no Go module; run this inside of the checkout")
	}
	return filepath.Dir(gomod), nil
}
