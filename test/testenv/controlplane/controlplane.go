// Package controlplane runs a Kubernetes control plane on loopback addresses,
// for the tests and for the commands that show the operator at work: etcd,
// kube-apiserver, and of the controllers of Kubernetes those that delete
// namespaces and collect owned objects. There are no nodes, and no pod ever runs.
//
// controller-runtime's envtest starts the first two; without the third a
// deleted namespace stays Terminating for ever.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/controlplane/assets"
)

const (
	// startLimit bounds how long each process may take to get ready: about 5 s
	// on an idle machine, far more while all cores compile.
	startLimit = 90 * time.Second

	// stopLimit bounds how long each process may take to end before it is killed.
	stopLimit = 20 * time.Second
)

// Options say what Start starts. The zero value is usable.
type Options struct {
	// BinDir is the directory that holds the binaries named by assets.Names.
	// Empty: the one that assets.Find returns.
	BinDir string

	// CRDDir is a directory of CustomResourceDefinition manifests that are
	// established before Start returns. Empty: none.
	CRDDir string

	// WorkDir is the existing directory in which the control plane makes one of
	// its own, for data, certificates and the kubeconfig. Empty: the system's
	// directory for temporary files.
	WorkDir string

	// Log receives what the processes print, line by line in no order. Nil:
	// nothing is kept but the last lines, for the error of a failed start.
	Log io.Writer
}

// ControlPlane is a running control plane. Its fields are not to be changed.
type ControlPlane struct {
	// Config authenticates as a cluster administrator.
	Config *rest.Config

	// KubeconfigPath is a file with the same credentials, removed by Stop.
	KubeconfigPath string

	// KubectlPath is a kubectl at most one minor version away.
	KubectlPath string

	dir         string // everything on disk
	env         *envtest.Environment
	controllers *controllers
	reaper      *reaper
	stop        func() error
}

// EtcdURL is where etcd listens.
func (cp *ControlPlane) EtcdURL() string { return cp.env.ControlPlane.Etcd.URL.String() }

// Start returns when the API server is ready, the CRDs are established and the
// controllers work. ctx bounds the start alone: the control plane
// runs until Stop is called or this process ends, however it ends. An error
// wraps assets.ErrMissing when there are no binaries; whatever had been started
// is gone then.
func Start(ctx context.Context, opts Options) (*ControlPlane, error) {
	binDir, err := findBinaries(opts.BinDir)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(opts.WorkDir, "ssm-access-controlplane-")
	if err != nil {
		return nil, fmt.Errorf("create the directory of the control plane: %w", err)
	}
	cp := &ControlPlane{dir: dir, KubectlPath: filepath.Join(binDir, assets.Kubectl)}
	cp.stop = sync.OnceValue(cp.stopAll)
	if err := cp.start(ctx, binDir, opts); err != nil {
		return nil, errors.Join(err, cp.Stop())
	}
	return cp, nil
}

// Stop ends the processes, waits until they are gone and removes their files.
// Further calls do nothing and return the same error.
func (cp *ControlPlane) Stop() error { return cp.stop() }

func findBinaries(binDir string) (string, error) {
	if binDir == "" {
		return assets.Find()
	}
	if err := assets.Check(binDir); err != nil {
		return "", err
	}
	return filepath.Abs(binDir)
}

func (cp *ControlPlane) start(ctx context.Context, binDir string, opts Options) error {
	var err error
	if cp.reaper, err = startReaper(cp.dir); err != nil {
		return err
	}
	programs, err := wrap(cp.dir, binDir, assets.Etcd, assets.APIServer, assets.Controllers)
	if err != nil {
		return err
	}
	log := newOutput(opts.Log)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start the control plane: %w", err)
	}
	if err := cp.startAPIServer(programs, log); err != nil {
		return err
	}
	if err := cp.installCRDs(opts.CRDDir); err != nil {
		return err
	}
	cp.KubeconfigPath = filepath.Join(cp.dir, "kubeconfig")
	if err := os.WriteFile(cp.KubeconfigPath, cp.env.KubeConfig, 0o600); err != nil {
		return fmt.Errorf("write the kubeconfig: %w", err)
	}
	cp.controllers, err = startControllers(ctx, programs[assets.Controllers], cp.KubeconfigPath, log)
	return err
}

// startAPIServer starts etcd and kube-apiserver.
func (cp *ControlPlane) startAPIServer(programs map[string]string, log *output) error {
	etcd := &envtest.Etcd{Path: programs[assets.Etcd], DataDir: filepath.Join(cp.dir, "etcd"), Out: log, Err: log}
	apiServer := &envtest.APIServer{
		Path: programs[assets.APIServer], CertDir: filepath.Join(cp.dir, "apiserver"), Out: log, Err: log,
	}
	// Without the first the API server takes the address of the default route, which a machine
	// without a network does not have. It refuses to tell others of a loopback address.
	apiServer.Configure().Set("advertise-address", "127.0.0.1").Set("endpoint-reconciler-type", "none")
	if err := errors.Join(os.Mkdir(etcd.DataDir, 0o700), os.Mkdir(apiServer.CertDir, 0o700)); err != nil {
		return fmt.Errorf("create the directories of the control plane: %w", err)
	}
	existing := false // whatever the environment says
	cp.env = &envtest.Environment{
		ControlPlane:             envtest.ControlPlane{Etcd: etcd, APIServer: apiServer, KubectlPath: cp.KubectlPath},
		UseExistingCluster:       &existing,
		ControlPlaneStartTimeout: startLimit,
		ControlPlaneStopTimeout:  stopLimit,
	}
	config, err := cp.env.Start()
	if err != nil {
		return fmt.Errorf("start etcd and the API server: %w\n%s", err, log.tail())
	}
	cp.Config = config
	return nil
}

// installCRDs returns when every CRD in dir is served.
func (cp *ControlPlane) installCRDs(dir string) error {
	if dir == "" {
		return nil
	}
	_, err := envtest.InstallCRDs(cp.Config, envtest.CRDInstallOptions{Paths: []string{dir}, ErrorIfPathMissing: true})
	if err != nil {
		return fmt.Errorf("install the CRDs of %s: %w", dir, err)
	}
	return nil
}

// stopAll ends whatever has been started, the last first.
func (cp *ControlPlane) stopAll() error {
	var errs []error
	if cp.controllers != nil {
		errs = append(errs, cp.controllers.stop())
	}
	if cp.env != nil {
		errs = append(errs, cp.env.Stop())
	}
	errs = append(errs, os.RemoveAll(cp.dir))
	if cp.reaper != nil {
		errs = append(errs, cp.reaper.stop())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop the control plane: %w", err)
	}
	return nil
}
