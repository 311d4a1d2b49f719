package principal

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestAReadIsBelievedOnlyOfRecordsThatWereSeenBeforeIt(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	record := func(serial int64) *v1alpha1.SessionAccess {
		return &v1alpha1.SessionAccess{ObjectMeta: metav1.ObjectMeta{UID: "a"}, Status: v1alpha1.SessionAccessStatus{Applied: &v1alpha1.AppliedAccess{Serial: serial}}}
	}
	var d declarations
	d.note(&v1alpha1.SessionAccess{}, noon)
	if d.before("a", 1, noon.Add(time.Hour)) {
		t.Error("a record that was never seen counts")
	}
	d.note(record(1), noon)
	d.note(record(1), noon.Add(time.Hour)) // Nothing new.
	for read, want := range map[time.Duration]bool{-time.Second: false, 0: false, time.Second: true} {
		if got := d.before("a", 1, noon.Add(read)); got != want {
			t.Errorf("a read %s after the record: %v, want %v", read, got, want)
		}
	}
	d.note(record(2), noon.Add(time.Minute))
	if d.before("a", 1, noon.Add(time.Hour)) || d.before("a", 2, noon.Add(time.Second)) || !d.before("a", 2, noon.Add(time.Hour)) {
		t.Error("the newest record alone counts")
	}
	d.note(record(3), time.Time{}) // It was there when the process began.
	if !d.before("a", 3, noon) {
		t.Error("a record of before this process is taken for new")
	}
	if d.forget("a"); d.before("a", 3, noon) {
		t.Error("an object that is gone counts")
	}
}
