// Package charts_test checks the Helm chart with the real Helm: what it renders, what it
// refuses, and how it installs, upgrades and uninstalls on a real API server.
package charts_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const (
	chart = "ssm-access-operator"
	// toolsVariable names the directory of Helm, which "make test" builds.
	toolsVariable = "HELM_TOOLS"
	// release and namespace give the objects the names that config/default gives them.
	release   = "ssm-access"
	namespace = "ssm-access-system"
)

// tool returns the path of one of hack/tools/helm, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(os.Getenv(toolsVariable), name)
	if os.Getenv(toolsVariable) == "" {
		t.Skipf("%s is not set; \"make test\" builds Helm and sets it", toolsVariable)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("there is no %s; \"make helm-tools\" builds it: %v", name, err)
	}
	return path
}

// helm runs a version of Helm without what the user has configured, and returns all that
// it prints.
type helm struct {
	path string
	env  []string
}

func newHelm(t *testing.T, name string, env ...string) helm {
	t.Helper()
	home := t.TempDir()
	return helm{path: tool(t, name), env: append([]string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"),
		"HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home,
	}, env...)}
}

func (h helm) try(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, h.path, args...)
	cmd.Env = h.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h helm) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := h.try(t.Context(), args...)
	if err != nil {
		t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// fails runs Helm, which must fail, and returns what it prints.
func (h helm) fails(t *testing.T, args ...string) string {
	t.Helper()
	out, err := h.try(t.Context(), args...)
	if err == nil {
		t.Fatalf("helm %s succeeded:\n%s", strings.Join(args, " "), out)
	}
	return out
}

// template renders the chart with further arguments.
func (h helm) template(t *testing.T, args ...string) []*unstructured.Unstructured {
	t.Helper()
	return parse(t, h.run(t, append([]string{"template", release, chart, "--namespace", namespace}, args...)...))
}

// parse returns the objects of a stream of YAML documents.
func parse(t *testing.T, stream string) []*unstructured.Unstructured {
	t.Helper()
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(stream), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}
