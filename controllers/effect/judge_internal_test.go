package effect

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
)

func TestOnlyACertainDenialHasACause(t *testing.T) {
	t.Parallel()
	const deny = "arn:aws:iam::488821267897:policy/deny"
	for name, c := range map[string]struct {
		decision iam.Decision
		want     string
	}{
		"allowed":                          {iam.Decision{Allowed: true}, ""},
		"not seen by IAM yet":              {iam.Decision{}, ""},
		"organisation":                     {iam.Decision{Explicit: true, Organization: true}, v1alpha1.ReasonDeniedByOrganization},
		"organisation, with missing keys":  {iam.Decision{Explicit: true, Organization: true, Missing: []string{"aws:sourcevpc"}}, v1alpha1.ReasonDeniedByOrganization},
		"boundary":                         {iam.Decision{Boundary: true}, v1alpha1.ReasonDeniedByBoundary},
		"boundary that may allow the VPC":  {iam.Decision{Boundary: true, Missing: []string{"aws:SourceVpc"}}, ""},
		"deny":                             {iam.Decision{Explicit: true, Policies: []string{deny}}, v1alpha1.ReasonDeniedByPolicy},
		"deny, beside grants by tag":       {iam.Decision{Explicit: true, Policies: []string{deny}, Missing: []string{"ssm:resourceTag/Env"}}, v1alpha1.ReasonDeniedByPolicy},
		"deny outside of the office":       {iam.Decision{Explicit: true, Policies: []string{deny}, Missing: []string{"aws:sourceip"}}, ""},
		"deny without an approval":         {iam.Decision{Explicit: true, Policies: []string{deny}, Missing: []string{"ssm:accessrequestid"}}, v1alpha1.ReasonDeniedByPolicy},
		"boundary that allows, other deny": {iam.Decision{Explicit: true, Policies: []string{deny}}, v1alpha1.ReasonDeniedByPolicy},
	} {
		c.decision.Action, c.decision.Resource = "ssm:StartSession", "arn:aws:ec2:eu-west-1:488821267897:instance/i-1"
		if got := judge(&c.decision, "eu-west-1", "User user01"); got.Reason != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAPrincipalIsAskedAboutAfterAChangeAndHourly(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	key := grants.PrincipalKey{AccountID: "488821267897", Kind: v1alpha1.PrincipalUser, Name: "user01"}
	s := newSchedule()
	expect := func(of string, want time.Duration) {
		t.Helper()
		if got := s.wait(key, of, now); got != want {
			t.Errorf("%s: wait %s, want %s", of, got, want)
		}
	}
	expect("a/1", settle)
	now = now.Add(settle / 2)
	expect("a/1", settle/2)
	expect("a/2", settle) // A change begins anew.
	now = now.Add(settle)
	expect("a/2", 0)
	s.done(key, now)
	expect("a/2", again)
	expect("a/3", settle)
	s.deny(key.AccountID, now)
	expect("a/3", again)
	s.forget(key)
	now = now.Add(2 * again)
	expect("a/3", settle)
}

func TestAfterARestartPrincipalsAreSpreadOverTheHour(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	s := newSchedule()
	quarters := map[time.Duration]int{}
	for i := range 1000 {
		key := grants.PrincipalKey{AccountID: "488821267897", Kind: v1alpha1.PrincipalUser, Name: "user" + time.Duration(i).String()}
		s.found(key)
		wait := s.wait(key, "a/1", now)
		if wait < settle || wait > again {
			t.Fatalf("wait %s", wait)
		}
		quarters[wait/(again/4)]++
	}
	for quarter, n := range quarters {
		if quarter < 4 && (n < 150 || n > 350) {
			t.Errorf("%d of 1000 principals in quarter %d of the hour", n, quarter)
		}
	}
}
