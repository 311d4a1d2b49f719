package charts_test

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/controlplane/assets"
)

func TestLintAndUnitTests(t *testing.T) {
	t.Parallel()
	newHelm(t, "helm").run(t, "lint", "--strict", chart)
	unittest := helm{path: tool(t, "helm-unittest"), env: []string{"HOME=" + t.TempDir()}}
	if out := unittest.run(t, "--strict", chart); !strings.Contains(out, "passed") {
		t.Error(out)
	}
}

// TestDefaultsAreThoseOfConfig compares the two ways to install: they must not differ in
// what they declare, apart from the namespace, which Helm creates itself, and the labels and
// annotations by which Helm finds its objects.
func TestDefaultsAreThoseOfConfig(t *testing.T) {
	t.Parallel()
	h := newHelm(t, "helm")
	kustomized, rendered := normalized(t, kustomize(t, "../config/default")), normalized(t, h.template(t))
	for _, name := range slices.Sorted(maps.Keys(kustomized)) {
		if _, ok := rendered[name]; !ok {
			t.Errorf("the chart does not declare %s", name)
		} else if rendered[name] != kustomized[name] {
			t.Errorf("%s differs:\nconfig/default: %s\nchart:          %s", name, kustomized[name], rendered[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if _, ok := kustomized[name]; !ok {
			t.Errorf("config/default does not declare %s", name)
		}
	}
}

// TestMetricsAreThoseOfConfig does the same for what is optional.
func TestMetricsAreThoseOfConfig(t *testing.T) {
	t.Parallel()
	h := newHelm(t, "helm")
	rendered := normalized(t, h.template(t, "--set", "metrics.serviceMonitor.enabled=true,metrics.rules.enabled=true,metrics.dashboard.enabled=true"))
	for _, directory := range []string{"../config/prometheus", "../config/grafana"} {
		for name, want := range normalized(t, kustomize(t, directory)) {
			if rendered[name] != want {
				t.Errorf("%s differs:\n%s: %s\nchart: %s", name, directory, want, rendered[name])
			}
		}
	}
}

func kustomize(t *testing.T, directory string) []*unstructured.Unstructured {
	t.Helper()
	bin, err := assets.Find()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, assets.Kubectl), "kustomize", directory).Output()
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(out))
}

// ofHelm are labels and annotations that only Helm's objects have.
var ofHelm = []string{
	"app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart", "helm.sh/resource-policy",
}

// normalized returns the objects as JSON, by kind, namespace and name, without what may
// differ.
func normalized(t *testing.T, objects []*unstructured.Unstructured) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, object := range objects {
		if object.GetAnnotations()["helm.sh/hook"] != "" || object.GetKind() == "Namespace" {
			continue
		}
		clean(object.Object)
		text, err := json.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		found[object.GetKind()+" "+object.GetNamespace()+"/"+object.GetName()] = string(text)
	}
	return found
}

// clean removes what may differ, and what is empty.
func clean(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range ofHelm {
			delete(value, key)
		}
		for key, inner := range value {
			clean(inner)
			if empty, ok := inner.(map[string]any); ok && len(empty) == 0 && (key == "annotations" || key == "labels") {
				delete(value, key)
			}
		}
	case []any:
		for _, inner := range value {
			clean(inner)
		}
	}
}

func TestWrongValuesAreRefusedWithTheirPlace(t *testing.T) {
	t.Parallel()
	h := newHelm(t, "helm")
	for value, want := range map[string]string{
		"replica=2":                    "replica",
		"replicas=two":                 "/replicas",
		"options.ownerID=main":         "/options/ownerID",
		"options.resyncInterval=5":     "/options/resyncInterval",
		"options.awsRate=0":            "/options/awsRate",
		"options.logLevel=trace":       "/options/logLevel",
		"aws.roleARN=ssm-access":       "/aws/roleARN",
		"aws.region=tokyo":             "/aws/region",
		"image.digest=sha256:abc":      "/image/digest",
		"image.pullPolicy=Sometimes":   "/image/pullPolicy",
		"managers[0].name=a":           "accountSelector",
		"metrics.serviceMonitor=true":  "/metrics/serviceMonitor",
		"serviceAccount.annotations=x": "/serviceAccount/annotations",
	} {
		out := h.fails(t, "template", release, chart, "--set", value)
		if !strings.Contains(out, want) {
			t.Errorf("%s is refused with\n%s", value, out)
		}
	}
}

// TestDescriptionsOfKindsAreNoTemplates renders kinds whose descriptions hold what a
// template would replace.
func TestDescriptionsOfKindsAreNoTemplates(t *testing.T) {
	t.Parallel()
	found := false
	for _, object := range newHelm(t, "helm").template(t) {
		if object.GetKind() == "CustomResourceDefinition" {
			text, err := json.Marshal(object.Object)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), "{{ name }}")
		}
	}
	if !found {
		t.Error("no kind has a description with {{ name }}")
	}
}
