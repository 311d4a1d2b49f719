package gitops_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// patience is how long the tools wait for what is not going to happen.
const patience = "3s"

// tools are Flux, as the library of its kustomize-controller, and Helm 4. "make test"
// builds both.
type tools struct {
	flux, helm string
	env        []string
}

// newTools finds them; nil where they were not built.
func newTools(t *testing.T, kubeconfig string) *tools {
	t.Helper()
	flux, helm := os.Getenv("FLUX_TOOL"), filepath.Join(os.Getenv("HELM_TOOLS"), "helm")
	for _, path := range []string{flux, helm} {
		if _, err := os.Stat(path); err != nil {
			return nil
		}
	}
	home := t.TempDir()
	return &tools{flux: flux, helm: helm, env: []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "KUBECONFIG=" + kubeconfig,
		"HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home,
	}}
}

// run runs a tool, and returns what it prints and whether it succeeds.
func (s *tools) run(t *testing.T, tool string, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), err == nil
}

// answer is what a wait comes to: it ends well, ends with a failure, or continues.
func answer(t *testing.T, out string, succeeds bool) string {
	t.Helper()
	switch {
	case succeeds:
		return "done"
	case strings.Contains(out, context.DeadlineExceeded.Error()), strings.Contains(out, "timeout waiting for"):
		return "waits"
	case strings.Contains(out, "failed early"), strings.Contains(out, "not ready. status: Failed"):
		return "fails"
	default:
		t.Errorf("a tool says neither that it waits nor that it failed:\n%s", out)
		return "unknown"
	}
}

// fluxWaits applies an object and waits for it, as a Kustomization with "wait: true".
func (s *tools) fluxWaits(t *testing.T, object client.Object) string {
	t.Helper()
	return s.fluxDoes(t, "apply", "wait", object)
}

// fluxDeletes deletes an object and waits until it is gone, as a Kustomization does with
// "deletionPolicy: WaitForTermination".
func (s *tools) fluxDeletes(t *testing.T, object client.Object) string {
	t.Helper()
	return s.fluxDoes(t, "delete", "gone", object)
}

func (s *tools) fluxDoes(t *testing.T, verb, wait string, object client.Object) string {
	t.Helper()
	file := manifest(t, object)
	if out, ok := s.run(t, s.flux, verb, file); !ok {
		t.Fatalf("Flux cannot %s the object:\n%s", verb, out)
	}
	out, ok := s.run(t, s.flux, "--timeout="+patience, wait, file)
	return answer(t, out, ok)
}

// helmWaits installs a chart with the object alone, and waits for it.
func (s *tools) helmWaits(t *testing.T, object client.Object) string {
	t.Helper()
	chart := t.TempDir()
	write(t, filepath.Join(chart, "Chart.yaml"), "apiVersion: v2\nname: objects\nversion: 0.1.0\n")
	if err := os.Mkdir(filepath.Join(chart, "templates"), 0o750); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(chart, "templates", "object.yaml"), declared(t, object))
	out, ok := s.run(t, s.helm, "upgrade", object.GetName(), chart, "--install", "--take-ownership",
		"--namespace", releases(object), "--wait", "--timeout", patience)
	return answer(t, out, ok)
}

// helmDeletes uninstalls that chart, and waits until the object is gone.
func (s *tools) helmDeletes(t *testing.T, object client.Object) string {
	t.Helper()
	out, ok := s.run(t, s.helm, "uninstall", object.GetName(), "--namespace", releases(object), "--wait", "--timeout", patience)
	return answer(t, out, ok)
}

// releases is the namespace of the release with an object.
func releases(object client.Object) string {
	if namespace := object.GetNamespace(); namespace != "" {
		return namespace
	}
	return "default"
}

// manifest writes what a user declares of an object to a file.
func manifest(t *testing.T, object client.Object) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "object.yaml")
	write(t, file, declared(t, object))
	return file
}

// declared is what a user declares of an object.
func declared(t *testing.T, object client.Object) string {
	t.Helper()
	u := raw(t, object)
	own := &unstructured.Unstructured{Object: map[string]any{"spec": u.Object["spec"]}}
	own.SetGroupVersionKind(u.GroupVersionKind())
	own.SetName(u.GetName())
	own.SetNamespace(u.GetNamespace())
	text, err := yaml.Marshal(own.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// raw is an object as the API server returns it: numbers are integers.
func raw(t *testing.T, object client.Object) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := scheme.Convert(object, u, nil); err != nil {
		t.Fatal(err)
	}
	text, err := u.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := u.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return u
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
