package sessionaccess

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

func TestARegionWhoseSessionsDoNotEndLeavesRoomToTheOthers(t *testing.T) {
	access := &v1alpha1.SessionAccess{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a"}}
	access.Status.Applied = &v1alpha1.AppliedAccess{Serial: 1}
	access.Status.Revocation = &v1alpha1.RevocationStatus{Serial: 1}
	var open []openSession
	for i := range grants.MaxEnding {
		id := fmt.Sprint("stuck-", i)
		open = append(open, openSession{Session: ssm.Session{ID: id}, accountID: "488821267897", region: "eu-west-1"})
		access.Status.Revocation.Ending = append(access.Status.Revocation.Ending, id)
	}
	open = append(open, openSession{Session: ssm.Session{ID: "new"}, accountID: "488821267897", region: "ap-northeast-1"})
	rev := grants.RevocationOf(access)
	bound := revocation{Revocation: &rev}.bound(open, 2)
	if n := len(bound); n != grants.MaxEnding/2+1 || bound[n-1].ID != "new" {
		t.Errorf("%d sessions, the last of them %s", n, bound[n-1].ID)
	}
}

func TestASessionBeganBeforeOnlyWhereThatIsCertain(t *testing.T) {
	grant := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		session, grant time.Time
		want           bool
	}{
		"an hour before":          {grant.Add(-time.Hour), grant, true},
		"as far as clocks differ": {grant.Add(-clockSkew), grant, false},
		"a second more":           {grant.Add(-clockSkew - time.Second), grant, true},
		"after":                   {grant.Add(time.Second), grant, false},
		"no start of the session": {time.Time{}, grant, false},
		"no start of the grant":   {grant, time.Time{}, false},
	} {
		if got := begunBefore(c.session, c.grant); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
