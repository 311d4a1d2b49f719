package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/controlplane/assets"
)

const crdDir = "testdata/crds"

// patience bounds everything that the control plane does by itself. It is long
// because all cores may be busy with other tests.
const patience = 2 * time.Minute

// processes returns the ids of the processes that the control plane in dir has.
func processes(t *testing.T, dir string) map[string]int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "wrapped", "*.pid"))
	if err != nil || len(files) != 3 {
		t.Fatalf("got the ids of %d processes, %v; want 3", len(files), err)
	}
	pids := map[string]int{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
		if err != nil {
			t.Fatal(err)
		}
		pids[filepath.Base(file)] = pid
	}
	return pids
}

func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// waitDeleted deletes an object and returns once the API server has dropped it.
func waitDeleted(ctx context.Context, t *testing.T, c client.WithWatch, list client.ObjectList, gone, trigger client.Object) {
	t.Helper()
	watcher, err := c.Watch(ctx, list, client.InNamespace(gone.GetNamespace()), client.MatchingFields{"metadata.name": gone.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	if err := c.Delete(ctx, trigger); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case <-ctx.Done():
			t.Fatalf("%T %s is still there", gone, gone.GetName())
		case event := <-watcher.ResultChan():
			if event.Type == watch.Deleted {
				return
			}
		}
	}
}

func TestControlPlaneBehavesLikeACluster(t *testing.T) {
	cp, err := Start(t.Context(), Options{CRDDir: crdDir, WorkDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer cp.Stop() //nolint:errcheck // the last step checks it
	c, err := client.NewWithWatch(cp.Config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}

	t.Run("custom kinds are served", func(t *testing.T) {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "WidgetList"})
		if err := c.List(t.Context(), list); err != nil {
			t.Error(err)
		}
	})

	t.Run("kubectl works with the kubeconfig and is of a supported version", func(t *testing.T) {
		out, err := exec.CommandContext(t.Context(), cp.KubectlPath, "--kubeconfig", cp.KubeconfigPath, "version").CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("Server Version: v1.37")) || bytes.Contains(out, []byte("WARNING")) {
			t.Errorf("got %v, %s", err, out)
		}
	})

	t.Run("a deleted namespace goes", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team-a"}}
		inside := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "inside", Namespace: "team-a"}}
		if err := errors.Join(c.Create(ctx, namespace), c.Create(ctx, inside)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		waitDeleted(ctx, t, c, &corev1.NamespaceList{}, namespace, namespace)
		t.Logf("gone after %s", time.Since(start))
	})

	t.Run("an owned object is collected", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner", Namespace: "default"}}
		if err := c.Create(ctx, owner); err != nil {
			t.Fatal(err)
		}
		owned := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "owned", Namespace: "default", OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID},
		}}}
		if err := c.Create(ctx, owned); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		waitDeleted(ctx, t, c, &corev1.SecretList{}, owned, owner)
		t.Logf("collected after %s", time.Since(start))
	})

	t.Run("nothing is left after Stop", func(t *testing.T) {
		pids := processes(t, cp.dir)
		pids["reaper"] = cp.reaper.cmd.Process.Pid
		if err := errors.Join(cp.Stop(), cp.Stop()); err != nil {
			t.Error(err)
		}
		for name, pid := range pids {
			if alive(pid) {
				t.Errorf("%s still runs as process %d", name, pid)
			}
		}
		if _, err := os.Stat(cp.dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", cp.dir, err)
		}
	})
}

// envOrphan makes the test binary start a control plane in the directory it
// names, and then wait to be killed.
const envOrphan = "CONTROLPLANE_TEST_ORPHAN"

func TestMain(m *testing.M) {
	ctrllog.SetLogger(logr.Discard())
	if dir := os.Getenv(envOrphan); dir != "" {
		cp, err := Start(context.Background(), Options{WorkDir: dir})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Fprintln(os.Stdout, cp.dir)
		select {}
	}
	os.Exit(m.Run())
}

func TestNothingIsLeftWhenTheParentIsKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), envOrphan+"="+t.TempDir())
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var dir string
	if _, err := fmt.Fscanln(stdout, &dir); err != nil {
		t.Fatalf("start a control plane in another process: %v", err)
	}
	pids := processes(t, dir)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed

	// They are not children of this process, so it cannot wait for them.
	err = wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		for _, pid := range pids {
			if alive(pid) {
				return false, nil
			}
		}
		_, err := os.Stat(dir)
		return os.IsNotExist(err), nil
	})
	if err != nil {
		t.Errorf("of %v in %s something is left: %v", pids, dir, err)
	}
}

func TestMissingBinariesAreNamed(t *testing.T) {
	_, err := Start(t.Context(), Options{BinDir: t.TempDir()})
	if !errors.Is(err, assets.ErrMissing) {
		t.Errorf("got %v, want assets.ErrMissing", err)
	}
}

func TestFailedStartShowsWhatTheProcessPrintedAndLeavesNothing(t *testing.T) {
	bin, work := t.TempDir(), t.TempDir()
	for _, name := range assets.Names() {
		script := "#!/bin/sh\necho \"" + name + " cannot start: no luck\" >&2\nexit 1\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Start(t.Context(), Options{BinDir: bin, WorkDir: work})
	if err == nil || !strings.Contains(err.Error(), "etcd cannot start: no luck") {
		t.Errorf("got %v, want an error with etcd's output", err)
	}
	if left, _ := os.ReadDir(work); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

func TestWrongDirectoryOfCRDsIsNamed(t *testing.T) {
	work := t.TempDir()
	_, err := Start(t.Context(), Options{WorkDir: work, CRDDir: "testdata/nowhere"})
	if err == nil || !strings.Contains(err.Error(), "testdata/nowhere") {
		t.Errorf("got %v, want an error that names the directory", err)
	}
	if left, _ := os.ReadDir(work); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	work := t.TempDir()
	_, err := Start(ctx, Options{WorkDir: work})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if left, _ := os.ReadDir(work); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}
