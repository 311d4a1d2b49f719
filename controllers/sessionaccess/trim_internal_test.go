package sessionaccess

import (
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestAStatusWithoutRoomForConditionsIsNotTakenForCurrent(t *testing.T) {
	t.Parallel()
	access := &v1alpha1.SessionAccess{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
	access.Status.ObservedGeneration = 2
	access.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, ObservedGeneration: 2}}
	for i, trimmed := range (&Reconciler{}).Trim(access) {
		object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(trimmed)
		if err != nil {
			t.Fatal(err)
		}
		result, err := status.Compute(&unstructured.Unstructured{Object: object})
		if err != nil || result.Status != status.InProgressStatus {
			t.Errorf("version %d is %v to kstatus, %v", i+1, result, err)
		}
	}
}
