package gitops_test

import (
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

const argo = "../../config/argocd"

// TestEveryKindHasTheCheckInBothPlaces compares the checks with their source, and runs
// the tests that Argo CD would run if it took them into its sources.
func TestEveryKindHasTheCheckInBothPlaces(t *testing.T) {
	t.Parallel()
	script := read(t, filepath.Join(argo, "health.lua"))
	var patch corev1.ConfigMap
	if err := yaml.UnmarshalStrict([]byte(read(t, filepath.Join(argo, "argocd-cm.yaml"))), &patch); err != nil {
		t.Fatal(err)
	}
	if len(patch.Data) != len(v1alpha1.Kinds()) {
		t.Errorf("the patch has %d keys", len(patch.Data))
	}
	for _, object := range v1alpha1.Kinds() {
		kind := v1alpha1.KindOf(object)
		if patch.Data["resource.customizations.health.ssm-access.dev_"+kind] != script {
			t.Errorf("the patch has another check for %s", kind)
		}
		dir := filepath.Join(argo, "resource_customizations", v1alpha1.GroupVersion.Group, kind)
		if read(t, filepath.Join(dir, "health.lua")) != script {
			t.Errorf("the layout has another check for %s", kind)
		}
		var suite struct {
			Tests []struct {
				InputPath    string
				HealthStatus health
			}
		}
		if err := yaml.Unmarshal([]byte(read(t, filepath.Join(dir, "health_test.yaml"))), &suite); err != nil {
			t.Fatal(err)
		}
		if len(suite.Tests) == 0 {
			t.Errorf("there is no test of the check for %s", kind)
		}
		for _, test := range suite.Tests {
			input := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(read(t, filepath.Join(dir, test.InputPath))), &input.Object); err != nil {
				t.Fatal(err)
			}
			if got := argoCD(t, script, input); got != test.HealthStatus || input.GetKind() != kind {
				t.Errorf("%s %s has the health %+v, not %+v", kind, test.InputPath, got, test.HealthStatus)
			}
		}
	}
}

func TestCheckUsesNoLibraryThatArgoCDWithholds(t *testing.T) {
	t.Parallel()
	for _, library := range []string{"string.", "io.", "os.", "math."} {
		if strings.Contains(read(t, filepath.Join(argo, "health.lua")), library) {
			t.Errorf("the check uses %s", library)
		}
	}
}
