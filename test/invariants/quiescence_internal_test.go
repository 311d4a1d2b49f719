package invariants

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestAStatusOfTheObjectThatWasLostIsNoRest(t *testing.T) {
	t.Parallel()
	object := func(reason string, status map[string]any) *unstructured.Unstructured {
		status["conditions"] = []any{map[string]any{"type": v1alpha1.ConditionReady, "reason": reason}}
		return &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"uid": "new"}, "status": status,
		}}
	}
	recordOf := func(uid string) map[string]any {
		return map[string]any{"applied": map[string]any{"uid": uid}}
	}
	for name, c := range map[string]struct {
		of   *unstructured.Unstructured
		lost bool
	}{
		"a status from the backup":          {object(v1alpha1.ReasonActivated, map[string]any{"uid": "old"}), true},
		"a status of the object":            {object(v1alpha1.ReasonActivated, map[string]any{"uid": "new"}), false},
		"a kind that names no object":       {object(v1alpha1.ReasonVerified, map[string]any{}), false},
		"a grant from the backup":           {object(v1alpha1.ReasonGranted, recordOf("old")), true},
		"a grant of the object":             {object(v1alpha1.ReasonGranted, recordOf("new")), false},
		"a record that waits for something": {object(v1alpha1.ReasonReferenceNotResolved, recordOf("old")), false},
	} {
		if isOfLost(c.of) != c.lost {
			t.Errorf("%s: is of the object that was lost = %t", name, !c.lost)
		}
	}
}
