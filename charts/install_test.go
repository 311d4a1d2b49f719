package charts_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/controlplane"
)

// cluster is a control plane without the project's kinds, and a Helm that uses it.
type cluster struct {
	*testing.T
	client.WithWatch
	helm
	plane *controlplane.ControlPlane
	jobs  *jobs
}

func newCluster(t *testing.T) cluster {
	t.Helper()
	tool(t, "helm")
	plane, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	c, err := client.NewWithWatch(plane.Config, client.Options{Scheme: clientgoscheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	manager := filepath.Join(t.TempDir(), "manager")
	if err := testenv.BuildManager(t.Context(), manager); err != nil {
		t.Fatal(err)
	}
	j := &jobs{client: c, manager: manager, config: plane.KubeconfigPath, dir: t.TempDir(), printed: make(chan string, 1)}
	j.start(t)
	return cluster{T: t, WithWatch: c, helm: newHelm(t, "helm", "KUBECONFIG="+plane.KubeconfigPath), plane: plane, jobs: j}
}

// install is the arguments of "helm install", "upgrade" and so on.
func install(verb, chart string, more ...string) []string {
	return append([]string{verb, release, chart, "--namespace", namespace}, more...)
}

// packed packs the chart as a release does.
func (c cluster) packed(directory, version string) string {
	c.Helper()
	dir := c.TempDir()
	c.run(c.T, "package", directory, "--destination", dir, "--version", version, "--app-version", version)
	return filepath.Join(dir, chart+"-"+version+".tgz")
}

// earlier is a copy of the chart whose kind AccountTier has not yet a field.
func (c cluster) earlier() string {
	c.Helper()
	dir := filepath.Join(c.TempDir(), chart)
	if err := os.CopyFS(dir, os.DirFS(chart)); err != nil {
		c.Fatal(err)
	}
	file := filepath.Join(dir, "files", "crds", "ssm-access.dev_accounttiers.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		c.Fatal(err)
	}
	crd := map[string]any{}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		c.Fatal(err)
	}
	delete(specOf(c.T, crd), "suspend")
	if text, err = yaml.Marshal(crd); err != nil {
		c.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		c.Fatal(err)
	}
	return dir
}

// specOf returns the fields of the spec of a kind.
func specOf(t *testing.T, crd map[string]any) map[string]any {
	t.Helper()
	versions, _, err := unstructured.NestedFieldNoCopy(crd, "spec", "versions")
	if err != nil {
		t.Fatal(err)
	}
	fields, _, err := unstructured.NestedFieldNoCopy(versions.([]any)[0].(map[string]any), "schema", "openAPIV3Schema", "properties", "spec", "properties")
	if err != nil {
		t.Fatal(err)
	}
	return fields.(map[string]any)
}

// hasSuspend reports whether the installed kind AccountTier has the field that an earlier
// chart does not know.
func (c cluster) hasSuspend() bool {
	c.Helper()
	crd := &unstructured.Unstructured{}
	crd.SetAPIVersion("apiextensions.k8s.io/v1")
	crd.SetKind("CustomResourceDefinition")
	if err := c.Get(c.Context(), client.ObjectKey{Name: "accounttiers." + v1alpha1.GroupVersion.Group}, crd); err != nil {
		c.Fatal(err)
	}
	_, ok := specOf(c.T, crd.Object)["suspend"]
	return ok
}

// create creates an object as soon as its kind is served, which Helm does not wait for.
func (c cluster) create(object client.Object) {
	c.Helper()
	var err error
	if waited := wait.PollUntilContextTimeout(c.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		err = c.Create(ctx, object)
		return !meta.IsNoMatchError(err), nil
	}); err != nil || waited != nil {
		c.Fatal(errors.Join(err, waited))
	}
}

// installed reports whether the manager's Deployment exists.
func (c cluster) installed() bool {
	c.Helper()
	err := c.Get(c.Context(), client.ObjectKey{Namespace: namespace, Name: "ssm-access-manager"}, &appsv1.Deployment{})
	if client.IgnoreNotFound(err) != nil {
		c.Fatal(err)
	}
	return err == nil
}

// kubectl runs the control plane's kubectl.
func (c cluster) kubectl(args ...string) string {
	c.Helper()
	cmd := exec.CommandContext(c.Context(), c.plane.KubectlPath, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.plane.KubeconfigPath)
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// account is an AWSAccount, which the check before an uninstallation finds.
func account(finalizers ...string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"accountID": "488821267897", "regions": []any{"ap-northeast-1"},
		"allowedNamespaces": map[string]any{"from": "All"},
	}}}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("AWSAccount"))
	object.SetName("main")
	object.SetFinalizers(finalizers)
	return object
}

func TestInstallUpgradeAndUninstall(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run(t, install("install", c.packed(c.earlier(), "0.0.1"), "--create-namespace")...)
	if c.hasSuspend() {
		t.Fatal("the earlier chart installed the present kinds")
	}
	present := c.packed(chart, "0.0.2")
	c.run(t, install("upgrade", present)...)
	if !c.hasSuspend() {
		t.Error("the upgrade left the kinds as they were")
	}

	c.create(account())
	out := c.fails(t, "uninstall", release, "--namespace", namespace)
	if printed := <-c.jobs.printed; !strings.Contains(printed, "1 AWSAccount (main)") || !strings.Contains(printed, "kubectl delete awsaccount --all") {
		t.Errorf("the check before the uninstallation says %s", printed)
	}
	if !strings.Contains(out, "ssm-access-uninstall-check") || !c.installed() {
		t.Errorf("with an object, helm uninstall removed the manager, or named no check:\n%s", out)
	}
	// As docs/operations.md says: Helm upgrades no release that it began to uninstall.
	if out := c.fails(t, install("upgrade", present)...); !strings.Contains(out, "no deployed releases") {
		t.Errorf("the upgrade says %s", out)
	}
	c.run(t, "rollback", release, "2", "--namespace", namespace)
	c.run(t, install("upgrade", present, "--set", "options.logLevel=debug")...)

	if err := c.Delete(t.Context(), account()); err != nil {
		t.Fatal(err)
	}
	c.run(t, "uninstall", release, "--namespace", namespace)
	if printed := <-c.jobs.printed; printed != "" || c.installed() {
		t.Errorf("the manager was not removed: %s", printed)
	}
	if !c.hasSuspend() { // It also fails where the kind is gone.
		t.Error("the kinds changed")
	}
}

func TestUninstallWithoutTheCheckLosesNothing(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run(t, install("install", chart, "--create-namespace")...)
	c.create(account(v1alpha1.Finalizer))
	c.run(t, "uninstall", release, "--namespace", namespace, "--no-hooks")
	if c.installed() {
		t.Error("the manager is still there")
	}
	kept := account()
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(kept), kept); err != nil || !kept.GetDeletionTimestamp().IsZero() {
		t.Errorf("the object was lost: %v", err)
	}
	c.run(t, install("install", chart)...)
	if !c.installed() {
		t.Error("the chart did not take over the kinds that it had left")
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(kept), kept); err != nil || !kept.GetDeletionTimestamp().IsZero() {
		t.Errorf("the second installation lost the object: %v", err)
	}
}

func TestUpgradeFromAReleaseOfHelm3(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	before := newHelm(t, "helm3", "KUBECONFIG="+c.plane.KubeconfigPath)
	before.run(t, install("install", c.packed(c.earlier(), "0.0.1"), "--create-namespace")...)
	c.run(t, install("upgrade", chart)...)
	if !c.hasSuspend() || !c.installed() {
		t.Error("the upgrade left the kinds as they were")
	}
	c.run(t, "uninstall", release, "--namespace", namespace)
	<-c.jobs.printed
}

// TestKindsThatKubectlInstalled follows docs/operations.md, "Move to the chart".
func TestKindsThatKubectlInstalled(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	earlier := filepath.Join(c.earlier(), "files", "crds")
	c.kubectl("apply", "--server-side", "-f", earlier)
	if out := c.fails(t, install("install", chart, "--create-namespace")...); !strings.Contains(out, "invalid ownership metadata") {
		t.Errorf("Helm takes over kinds of others, or says\n%s", out)
	}
	if out := c.fails(t, install("upgrade", chart, "--install", "--create-namespace", "--take-ownership")...); !strings.Contains(out, "conflict") {
		t.Errorf("Helm changes fields of others, or says\n%s", out)
	}
	c.run(t, install("upgrade", chart, "--install", "--create-namespace", "--take-ownership", "--force-conflicts")...)
	if !c.hasSuspend() || !c.installed() {
		t.Error("the kinds were not taken over")
	}
}
