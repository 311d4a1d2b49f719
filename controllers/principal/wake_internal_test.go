package principal

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

func TestReleasedObjectsHoldNoGrantAfterAStart(t *testing.T) {
	t.Parallel()
	kept, granting := claimant("kept", noon, nil, false, "X"), claimant("granting", noon, nil, false, "X")
	kept.DeletionTimestamp, kept.Finalizers = &metav1.Time{Time: noon.Add(time.Hour)}, []string{"another.example/keeps-it"}
	kept.Status.Applied.Granted.Principals[0].Name = "user02"
	q := NewQueue()
	t.Cleanup(q.ShutDown)
	q.addAll("488821267897", grants.RecordsOf([]v1alpha1.SessionAccess{kept, granting}), false)
	for _, want := range []struct {
		name     string
		priority int
	}{{"user01", queue.PriorityGrant}, {"user02", queue.PriorityResync}} {
		if q.Holds("488821267897") {
			t.Fatalf("%s waits for a revocation", want.name)
		}
		if key, priority, _ := q.GetWithPriority(); key.Name != want.name || priority != want.priority {
			t.Errorf("%s is served at %d, want %s at %d", key.Name, priority, want.name, want.priority)
		}
	}
}
