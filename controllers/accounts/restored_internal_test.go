package accounts

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

const (
	never      = "never verified"
	inUse      = "in use"
	first      = "first of a restore"
	withRecord = "restored with its status"
)

// declaring is an AWSAccount created at a second, in one of these states.
func declaring(name, state string, second int64) *v1alpha1.AWSAccount {
	created := metav1.Unix(1_000_000+second, 0)
	a := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: created}}
	set := func(kind string, at time.Time) {
		a.Status.Conditions = append(a.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionTrue, LastTransitionTime: metav1.NewTime(at)})
	}
	if state == never {
		return a
	}
	a.Status.Identity = &v1alpha1.Identity{ARN: "arn"}
	ready := created.Add(time.Minute)
	if state == withRecord {
		ready = created.Add(-time.Hour)
	}
	set(v1alpha1.ConditionReady, ready)
	if state != inUse {
		set(v1alpha1.ConditionRestored, created.Add(time.Minute))
	}
	return a
}

func TestOfTwoAccountsTheOneThatWasInUseWinsWhateverTheOrder(t *testing.T) {
	for _, c := range []struct {
		a, b         string
		aUsed, bUsed bool
	}{
		{inUse, never, true, false},
		{inUse, first, true, false},
		{withRecord, never, true, false},
		{withRecord, first, true, false},
		{never, never, false, false},
		{first, first, false, false},
		{first, never, false, false},
	} {
		for _, seconds := range [][2]int64{{0, 60}, {60, 0}} {
			a, b := declaring("a", c.a, seconds[0]), declaring("b", c.b, seconds[1])
			if excludes(b, a) == c.aUsed || excludes(a, b) == c.bUsed {
				t.Errorf("a %s, b %s, created at %v: a is used = %v, b is used = %v", c.a, c.b, seconds, !excludes(b, a), !excludes(a, b))
			}
		}
	}
}

func TestBetweenTwoAccountsThatBothWereInUseAgeDecides(t *testing.T) {
	older, younger := declaring("b", inUse, 0), declaring("a", inUse, 60)
	if excludes(younger, older) || !excludes(older, younger) {
		t.Error("the younger one is used")
	}
}

func TestTheNameOfAnObjectFitsIntoATagAndIsItsOwn(t *testing.T) {
	name := rapid.StringMatching(`[a-z0-9]{1,250}`)
	rapid.Check(t, func(t *rapid.T) {
		draw := func() *v1alpha1.SessionDocument {
			return &v1alpha1.SessionDocument{ObjectMeta: metav1.ObjectMeta{
				Namespace: rapid.StringMatching(`[a-z0-9]{1,63}`).Draw(t, "namespace"), Name: name.Draw(t, "name"),
			}}
		}
		a, b := draw(), draw()
		one, other := ObjectTag("0a1b2c3d", a), ObjectTag("0a1b2c3d", b)
		if len(one) > maxTagValue || !strings.HasPrefix(one, "0a1b2c3d/") {
			t.Fatalf("tag %q", one)
		}
		if same := a.Namespace == b.Namespace && a.Name == b.Name; same != (one == other) {
			t.Fatalf("%s/%s and %s/%s have the tags %q and %q", a.Namespace, a.Name, b.Namespace, b.Name, one, other)
		}
		if one == ObjectTag("ffffffff", a) {
			t.Fatal("another installation gives the same tag")
		}
	})
}
