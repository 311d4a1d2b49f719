package controllers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

const (
	// earlierCRDs are those of commit 3e5a03c, without their descriptions.
	earlierCRDs = "testdata/3e5a03c/crds/*.json"
	presentCRDs = "../config/crd/bases/*.yaml"
)

// install replaces the CRDs of the cluster, and returns when they are served. The
// present ones come back when the test ends.
func (w world) install(pattern string) {
	w.t.Helper()
	if pattern != presentCRDs {
		w.t.Cleanup(func() { installCRDs(context.Background(), w.t, w.Client, presentCRDs) })
	}
	installCRDs(w.t.Context(), w.t, w.Client, pattern)
}

func installCRDs(ctx context.Context, t *testing.T, c client.Client, pattern string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) != 5 {
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
	probe := probeOf(kind)
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

// probeOf is an object that the earlier CRD accepts and the present one does not.
func probeOf(kind string) client.Object {
	switch kind {
	case "SessionAccess":
		probe := access("probe", "user01")
		probe.Spec.Targets = nil
		ids := manyIDs(2001)
		for part := range slices.Chunk(ids, 300) {
			probe.Spec.Targets = append(probe.Spec.Targets, v1alpha1.Target{InstanceIDs: part})
		}
		return probe
	case "AWSAccount":
		probe := account()
		probe.Name = "probe"
		probe.Spec.Guardrails = wordyGuardrails()
		return probe
	case "SessionDocument":
		probe := sessionDocument()
		probe.Name = "probe"
		probe.Spec.Parameters = wordyParameters()
		return probe
	default:
		return nil
	}
}
