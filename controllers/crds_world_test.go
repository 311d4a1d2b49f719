package controllers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
)

const (
	// earlierCRDs are those of commit 3e5a03c, without their descriptions.
	earlierCRDs = "testdata/3e5a03c/crds/*.json"
	presentCRDs = "../config/crd/bases/*.yaml"
	// earlierKinds is how many kinds there were at that commit.
	earlierKinds = 5
)

// install replaces the CRDs of the cluster, and returns when they are served. The
// present ones come back when the test ends.
func (w world) install(pattern string) {
	w.T.Helper()
	if pattern != presentCRDs {
		w.T.Cleanup(func() { installCRDs(context.Background(), w.T, w.Client, presentCRDs) })
	}
	installCRDs(w.T.Context(), w.T, w.Client, pattern)
}

func installCRDs(ctx context.Context, t *testing.T, c client.Client, pattern string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	want := len(v1alpha1.Kinds())
	if pattern == earlierCRDs {
		want = earlierKinds
	}
	if err != nil || len(files) != want {
		t.Fatalf("the CRDs are %v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		crd, stored := &unstructured.Unstructured{}, &unstructured.Unstructured{}
		if err := yaml.Unmarshal(data, &crd.Object); err != nil {
			t.Fatal(err)
		}
		stored.SetGroupVersionKind(crd.GroupVersionKind())
		if err := c.Get(ctx, client.ObjectKeyFromObject(crd), stored); err != nil {
			t.Fatal(err)
		}
		stored.Object["spec"] = crd.Object["spec"]
		if err := c.Update(ctx, stored); err != nil {
			t.Fatal(err)
		}
		if err := served(ctx, c, crd, pattern == presentCRDs); err != nil {
			t.Fatal(err)
		}
	}
}

// served asks the API server until it judges by a CRD that was installed. No
// condition of the CRD shows when it does.
func served(ctx context.Context, c client.Client, crd *unstructured.Unstructured, present bool) error {
	kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
	probe := scenario.ProbeOf(kind)
	if probe == nil {
		return nil // The kind has no rule that is new.
	}
	for {
		err := c.Create(ctx, probe.DeepCopyObject().(client.Object), client.DryRunAll)
		if (err != nil) == present {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait until the CRD of %s is served: %w", kind, ctx.Err())
		}
	}
}
