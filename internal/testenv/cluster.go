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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv/controlplane"
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
	// KubectlPath is a kubectl of the control plane's version.
	KubectlPath string

	operatorKubeconfig string

	plane *controlplane.ControlPlane
	// free holds a token while no Env is on the cluster.
	free chan struct{}
}

// StartCluster starts a control plane and installs the CRDs of the checkout
// that encloses the current directory. ctx bounds the start alone.
func StartCluster(ctx context.Context, o ClusterOptions) (*Cluster, error) {
	root, err := Checkout(ctx)
	if err != nil {
		return nil, err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{
		CRDDir:  filepath.Join(root, "config", "crd", "bases"),
		WorkDir: o.WorkDir,
		Log:     o.Log,
	})
	if err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(plane.Config, client.Options{Scheme: newScheme()})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a client of the control plane: %w", err), plane.Stop())
	}
	cluster := &Cluster{
		Checkout: root,
		Client:   c, Config: plane.Config, KubeconfigPath: plane.KubeconfigPath, KubectlPath: plane.KubectlPath,
		plane: plane, free: make(chan struct{}, 1),
	}
	if err := cluster.bindOperator(ctx); err != nil {
		return nil, errors.Join(err, plane.Stop())
	}
	cluster.free <- struct{}{}
	return cluster, nil
}

// Stop ends the control plane. Every Env must be closed.
func (c *Cluster) Stop() error { return c.plane.Stop() }

// newScheme knows Kubernetes' kinds and ours.
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
