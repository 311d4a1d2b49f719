package invariants_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// What AWS fails at until the next rest.
const (
	failRegion  = "fail a region"
	holdSession = "hold a session open"
)

// regional is the account of the sequences. It has a region without nodes, which can
// fail while the other one works.
func regional(h *invariants.Harness) *v1alpha1.AWSAccount {
	a := h.Account()
	a.Spec.Regions = append(a.Spec.Regions, invariants.SecondRegion)
	return a
}

// regionFaults are the ways in which SSM of a region fails.
var regionFaults = []faults.Fault{
	{Kind: faults.AccessDenied, Action: "ssm:DescribeSessions"},
	{Kind: faults.ServerError, Action: "ssm:DescribeSessions"},
	{Kind: faults.Unavailable, Action: "ssm:*"},
	{Kind: faults.AccessDenied, Action: "ssm:TerminateSession"},
}

// failures draws what fails. Sessions are open, and one access is removed
// meanwhile: the next steps may remove more.
func failures(t *rapid.T, kind string) act {
	number, deletes := evenly(t, "which", 4), rapid.Bool().Draw(t, "deletes")
	region, f := drawn(t, "region", small.Region, invariants.SecondRegion), drawn(t, "fault", regionFaults...)
	a := act{kind: kind, text: fmt.Sprintf("number %d, deletes one: %t", number, deletes)}
	if kind == failRegion {
		a.text = fmt.Sprintf("%s %s in %s, %s", f.Kind, f.Action, region, a.text)
	}
	a.do = func(ctx context.Context, h *invariants.Harness) error {
		if err := perform(ctx, h, act{kind: openAll}); err != nil {
			return err
		}
		if kind == failRegion {
			happened.count(kind + " " + region)
			if err := h.FailRegion(region, f); err != nil {
				return err
			}
		} else {
			held, err := h.HoldSession(number)
			if err != nil || !held {
				return err
			}
			happened.count(kind)
		}
		if list := h.Accesses(); deletes && len(list) > 0 {
			return h.Delete(ctx, list[number%len(list)])
		}
		return nil
	}
	return a
}

// A region that fails, and a session that cannot be ended, keep no other session open.
// The judge waits for the others before it heals AWS.
func TestTroubleKeepsNoOtherSessionOpen(t *testing.T) {
	for name, begin := range map[string]func(*invariants.Harness) error{
		"another region": func(h *invariants.Harness) error { return h.FailRegion(invariants.SecondRegion, regionFaults[2]) },
		"a session": func(h *invariants.Harness) error {
			held, err := h.HoldSession(0)
			if err == nil && !held {
				err = fmt.Errorf("no session is open")
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := attacked(t, 0, 0)
			mine := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01, pc02))
			if err := declare(t.Context(), h, regional(h), mine); err != nil {
				t.Fatal(err)
			}
			rest(t, h)
			if err := openSessions(h); err != nil {
				t.Fatal(err)
			}
			if err := begin(h); err != nil {
				t.Fatal(err)
			}
			if err := h.Delete(t.Context(), mine); err != nil {
				t.Fatal(err)
			}
			rest(t, h)
		})
	}
}

// The judge finds a session that stays open elsewhere: here a fault that it does not
// know of keeps it open.
func TestASessionThatTroubleElsewhereKeepsOpenIsFound(t *testing.T) {
	h := attacked(t, 0, 0)
	mine := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01))
	if err := declare(t.Context(), h, regional(h), mine); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	if err := openSessions(h); err != nil {
		t.Fatal(err)
	}
	inject(t, h, faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession"})
	if err := h.FailRegion(invariants.SecondRegion, regionFaults[0]); err != nil {
		t.Fatal(err)
	}
	if err := h.Delete(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), settling)
	defer cancel()
	if err := h.AwaitQuiescence(ctx); err == nil || !strings.Contains(err.Error(), "while AWS fails at something else") || !strings.Contains(err.Error(), "is open, and nothing declares it") {
		t.Errorf("the judge says %v", err)
	}
}
