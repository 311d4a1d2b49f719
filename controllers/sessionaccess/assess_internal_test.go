package sessionaccess

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestTheResultNamesWhoHasTheAccessAllTheSame(t *testing.T) {
	t.Parallel()
	missing := v1alpha1.PrincipalStatus{Kind: v1alpha1.PrincipalUser, Name: "ghost", State: v1alpha1.PrincipalNotFound, Message: "Account 1 has no user ghost."}
	granted := v1alpha1.PrincipalStatus{Kind: v1alpha1.PrincipalUser, Name: "user01", State: v1alpha1.PrincipalGranted}
	for _, c := range []struct {
		statuses []v1alpha1.PrincipalStatus
		want     string
	}{
		{[]v1alpha1.PrincipalStatus{missing, granted}, "Account 1 has no user ghost. The access of 1 other principal is in place."},
		{[]v1alpha1.PrincipalStatus{granted, missing, granted}, "Account 1 has no user ghost. The access of 2 other principals is in place."},
		{[]v1alpha1.PrincipalStatus{missing}, "Account 1 has no user ghost."},
	} {
		got := resultOf(&v1alpha1.SessionAccess{}, decision{}, c.statuses, map[string]string{}, progress{}, time.Unix(0, 0))
		if got.Message != c.want {
			t.Errorf("it says %q, want %q", got.Message, c.want)
		}
	}
}

func TestAnAccessThatEndedBeforeItWasCreatedSaysSo(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	access := &v1alpha1.SessionAccess{Spec: v1alpha1.SessionAccessSpec{NotAfter: &metav1.Time{Time: end}}}
	access.CreationTimestamp = metav1.Time{Time: end.Add(time.Hour)}
	says := func() string {
		return resultOf(access, decision{}, nil, nil, progress{}, end.Add(2*time.Hour)).Message
	}
	if got := says(); !strings.Contains(got, "2026-12-01T00:00:00Z") || !strings.Contains(got, "already past") || !strings.Contains(got, "spec.notAfter") {
		t.Errorf("it says %q", got)
	}
	access.Status.Applied = &v1alpha1.AppliedAccess{Serial: 2}
	if got := says(); !strings.Contains(got, "has ended") {
		t.Errorf("of one that was granted before a restore it says %q", got)
	}
	access.Status.Applied, access.CreationTimestamp = nil, metav1.Time{Time: end.Add(-time.Hour)}
	if got := says(); !strings.Contains(got, "has ended") {
		t.Errorf("of one that ended after its creation it says %q", got)
	}
}
