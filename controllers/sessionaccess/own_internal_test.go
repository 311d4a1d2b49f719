package sessionaccess

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestARecordIsTheObjectsOwnOnceItIsDecidedOn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	created, before := metav1.NewTime(now.Add(-time.Minute)), metav1.NewTime(now.Add(-time.Hour))
	of := func(uid string, declared *metav1.Time) *v1alpha1.AppliedAccess {
		return &v1alpha1.AppliedAccess{Serial: 3, UID: uid, DeclaredAt: declared, Granted: grantOn("i-1", "i-2")}
	}
	for name, c := range map[string]struct {
		record   *v1alpha1.AppliedAccess
		d        decision
		uid      string
		declared *metav1.Time
	}{
		"the first":                           {nil, decision{grant: grantOn("i-1")}, "this", &created},
		"a change":                            {of("this", &before), decision{grant: grantOn("i-1")}, "this", &before},
		"a change of a restored one":          {of("another", &before), decision{grant: grantOn("i-1")}, "this", &before},
		"a refusal of a restored one":         {of("another", &before), decision{}, "this", &before},
		"a narrowing of a restored one, only": {of("another", &before), decision{grant: grantOn("i-1"), waiting: true}, "another", &before},
		"a change of an earlier version's":    {of("", nil), decision{grant: grantOn("i-3")}, "this", &created},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			access := &v1alpha1.SessionAccess{ObjectMeta: metav1.ObjectMeta{UID: "this", CreationTimestamp: created}}
			access.Status.Applied = c.record
			got := ownRecords(access, c.d, now)[0]
			if got == c.record || got.UID != c.uid || !got.DeclaredAt.Equal(c.declared) {
				t.Errorf("got %q, declared at %v", got.UID, got.DeclaredAt)
			}
		})
	}
}

// What a revocation writes must fit where the record of before did.
func TestTheLastRecordOfAnEarlierVersionIsNotMarked(t *testing.T) {
	t.Parallel()
	access := &v1alpha1.SessionAccess{ObjectMeta: metav1.ObjectMeta{UID: "this", CreationTimestamp: metav1.Now()}}
	access.Status.Applied = &v1alpha1.AppliedAccess{Serial: 3, Granted: grantOn("i-1")}
	records := ownRecords(access, decision{grant: grantOn("i-2")}, time.Now())
	if last := records[len(records)-1]; last.UID != "" || last.DeclaredAt != nil || last.Granted != nil {
		t.Errorf("the last record is %+v", last)
	}
}
