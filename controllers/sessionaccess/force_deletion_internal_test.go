package sessionaccess

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

func TestWhichDeletionsMayBeForcedIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	since := func(ago time.Duration) *metav1.Time { at := metav1.NewTime(now.Add(-ago)); return &at }
	rev := grants.Revocation{
		Record: grants.Record{UID: "mine"},
		Lost:   []v1alpha1.ResolvedGrant{{AccountID: "488821267897", Principals: make([]v1alpha1.Principal, 100)}},
	}
	several := func(n int) []v1alpha1.PendingRevocation {
		items := make([]v1alpha1.PendingRevocation, n)
		for i := range items {
			items[i] = v1alpha1.PendingRevocation{UID: fmt.Sprint(i)}
		}
		return items
	}
	huge := []v1alpha1.PendingRevocation{{UID: "huge", Grants: []v1alpha1.ResolvedGrant{{Principals: make([]v1alpha1.Principal, reconcile.MaxObject/2)}}}}
	for name, c := range map[string]struct {
		allow   bool
		since   *metav1.Time
		pending []v1alpha1.PendingRevocation
		want    string // of the sentence; empty when it may go
	}{
		"allowed and long out of reach": {true, since(forceAfter), nil, ""},
		"not allowed":                   {false, since(forceAfter), nil, "forceDeletion: Allowed"},
		"in reach":                      {true, nil, nil, "in reach"},
		"not for long enough":           {true, since(forceAfter - time.Second), nil, "2026-03-01T12:00:01Z"},
		"there is room for one more":    {true, since(time.Hour), several(maxPending - 1), ""},
		"too many are pending":          {true, since(time.Hour), several(maxPending), "can hold"},
		"too much is pending":           {true, since(time.Hour), huge, "can hold"},
		"it is pending already":         {false, nil, []v1alpha1.PendingRevocation{{UID: "mine"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "main"}}
			account.Spec.ForceDeletion, account.Status.UnreachableSince, account.Status.PendingRevocations = v1alpha1.ForceDeletionForbidden, c.since, c.pending
			if c.allow {
				account.Spec.ForceDeletion = v1alpha1.ForceDeletionAllowed
			}
			d := forceDelay(account, rev, now)
			switch {
			case (d == nil) != (c.want == ""):
				t.Fatalf("got %+v, want a sentence with %q", d, c.want)
			case d != nil && (!strings.Contains(d.message, c.want) || !strings.HasSuffix(d.message, ".")):
				t.Errorf("%q does not say %q", d.message, c.want)
			}
		})
	}
}

func TestASessionCountsOnceHoweverOftenItIsSeen(t *testing.T) {
	t.Parallel()
	sessions := func(ids ...string) []openSession {
		all := make([]openSession, len(ids))
		for i, id := range ids {
			all[i].ID = id
		}
		return all
	}
	record := &v1alpha1.RevocationStatus{SessionsEnded: new(int32)}
	for _, c := range []struct {
		open  []openSession
		room  int
		known bool
		ended int32
	}{
		{sessions("e"), 500, false, 0},
		{nil, 500, true, 0},
		{sessions("e", "a", "b"), 0, false, 0},
		{sessions("b", "a"), 0, true, 1},
		{sessions("b"), 0, true, 2},
		{sessions("b", "c"), 1, false, 2},
		{nil, 0, true, 4},
		{nil, 0, true, 4},
	} {
		if known := tally(record, c.open, c.room); known != c.known || *record.SessionsEnded != c.ended {
			t.Errorf("with %v open: known = %v and %d ended, want %v and %d", c.open, known, *record.SessionsEnded, c.known, c.ended)
		}
	}
}
