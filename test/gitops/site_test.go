package gitops_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// operatorNamespace is that of config/default.
const operatorNamespace = "ssm-access-system"

// site is a cluster of its own, without the kinds at first. The operator has the rights
// that its installation gives it.
type site struct {
	scenario.World

	tools *tools
	// operator, kinds and objects are files of manifests: what config/default installs but
	// for the kinds, the kinds, and sample s1. everything is all of them.
	operator, kinds, objects, everything string
}

func newSite(t *testing.T, o testenv.Options) site {
	t.Helper()
	cluster, err := testenv.StartCluster(t.Context(), testenv.ClusterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	o.Cluster = cluster
	s := site{World: scenario.World{Env: testenv.New(t, o), T: t}, tools: newTools(t, cluster.KubeconfigPath)}
	if s.tools == nil {
		t.Skip("FLUX_TOOL and HELM_TOOLS name no tools; \"make test\" builds them and sets both")
	}
	// Its rights are those that config/default gives it, while it is installed.
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "manager-role"}}
	s.Must(cluster.Client.Delete(t.Context(), binding))
	s.kubectl("delete", "-k", "config/crd")
	t.Cleanup(func() { s.kubectl("apply", "--server-side", "--force-conflicts", "-k", "config/crd") }) // For Env.Close.
	s.files()
	return s
}

// files writes the manifests.
func (s *site) files() {
	s.T.Helper()
	dir := s.T.TempDir()
	var operator, kinds []string
	for document := range strings.SplitSeq(s.kubectl("kustomize", "config/default"), "\n---\n") {
		if strings.Contains(document, "kind: CustomResourceDefinition\n") {
			kinds = append(kinds, document)
		} else {
			operator = append(operator, document)
		}
	}
	objects := []string{s.kubectl("kustomize", "config/samples/s1")}
	file := func(name string, parts ...[]string) string {
		var all []string
		for _, part := range parts {
			all = append(all, part...)
		}
		path := filepath.Join(dir, name)
		write(s.T, path, strings.Join(all, "\n---\n"))
		return path
	}
	s.operator, s.kinds, s.objects = file("operator.yaml", operator), file("kinds.yaml", kinds), file("objects.yaml", objects)
	s.everything = file("everything.yaml", objects, operator, kinds) // In an order that no tool may rely on.
}

// runWhileInstalled runs the operator while its Deployment exists, as a cluster with nodes
// would, until the test ends.
func (s *site) runWhileInstalled() {
	ctx, cancel := context.WithCancel(s.T.Context())
	watcher, err := s.Client.Watch(ctx, &appsv1.DeploymentList{}, client.InNamespace(operatorNamespace))
	s.Must(err)
	ended := make(chan error, 1)
	go func() {
		var running *testenv.Manager
		var err error
		for event := range watcher.ResultChan() {
			switch {
			case event.Type == watch.Added && running == nil:
				running, err = s.StartManager(ctx, testenv.ManagerOptions{})
			case event.Type == watch.Deleted && running != nil:
				err = running.Stop()
				running = nil
			}
			if err != nil {
				break
			}
		}
		ended <- err
	}()
	s.T.Cleanup(func() {
		watcher.Stop()
		err := <-ended
		cancel()
		if err != nil {
			s.T.Error(err)
		}
	})
}

// kubectl runs a command of the control plane's kubectl in the checkout, which must succeed.
func (s *site) kubectl(args ...string) string {
	s.T.Helper()
	out, err := s.command(s.KubectlPath, args...)
	if err != nil {
		s.T.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// flux runs Flux, which must succeed.
func (s *site) flux(args ...string) {
	s.T.Helper()
	if out, err := s.command(s.tools.flux, args...); err != nil {
		s.T.Fatalf("flux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (s *site) command(path string, args ...string) (string, error) {
	var out, failure bytes.Buffer
	cmd := exec.CommandContext(context.WithoutCancel(s.T.Context()), path, args...)
	cmd.Dir, cmd.Env = s.Checkout, append(os.Environ(), "KUBECONFIG="+s.KubeconfigPath)
	cmd.Stdout, cmd.Stderr = &out, &failure
	err := cmd.Run()
	if err != nil {
		return out.String() + failure.String(), err
	}
	return out.String(), nil
}

// whileTimePasses runs what waits for a deletion. Time passes meanwhile for the operator
// and for AWS, because a revocation takes a minute.
func (s *site) whileTimePasses(do func()) {
	s.T.Helper()
	done := make(chan struct{})
	var clock sync.WaitGroup
	clock.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				s.pass()
			}
		}
	})
	defer clock.Wait()
	defer close(done)
	do()
}

// pass lets a minute pass. Timers of the work queue run on the machine's clock, so it
// triggers what waits.
func (s *site) pass() {
	s.Emulator.Advance(scenario.Window)
	var all v1alpha1.SessionAccessList
	if err := s.Client.List(s.T.Context(), &all); err != nil {
		return // The kind may be gone.
	}
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"annotations":{"test/touched":%q}}}`, s.Clock.Now()))
	for i := range all.Items {
		if access := &all.Items[i]; !access.DeletionTimestamp.IsZero() {
			_ = s.Client.Patch(s.T.Context(), access, patch) // It may be gone.
		}
	}
}
