package hybridactivation

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func wanted() desired {
	return desire(&v1alpha1.HybridActivation{
		ObjectMeta: metav1.ObjectMeta{Name: "sites", UID: owner},
		Spec:       v1alpha1.HybridActivationSpec{Region: "ap-northeast-1", Role: "SSMServiceRole", RegistrationLimit: new(int32(3))},
	}, "0a1b2c3d", map[string]string{"Env": "stg"})
}

// world is what a plan rests on, at noon: an activation that was asked for
// some time ago and whose code is stored, and nothing else.
func world(age time.Duration, change ...func(*observed)) observed {
	want := wanted()
	request := want.ask("CURRENT", noon.Add(-age))
	f := observed{
		now: noon, started: noon.Add(-time.Hour), desired: want, reported: "current",
		stored: &content{registration{ID: "current", Code: ssm.NewActivationCode("code"), Region: want.region}, request},
		record: &v1alpha1.ActivationRecord{AccountID: "488821267897", SecretName: "sites"},
		seen:   observation{begun: noon, activations: map[string]ssm.Activation{"current": want.made("current", request)}},
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func see(id string, change ...func(*ssm.Activation)) func(*observed) {
	return func(f *observed) {
		a, ok := f.seen.activations[id]
		if !ok {
			a = f.desired.made(id, f.desired.ask("NONCE-"+id, f.now.Add(-2*time.Hour)))
		}
		for _, c := range change {
			c(&a)
		}
		f.seen.activations[id] = a
	}
}

func unseen(id string) func(*observed) { return func(f *observed) { delete(f.seen.activations, id) } }

func used(n int32) func(*ssm.Activation) { return func(a *ssm.Activation) { a.Registered = n } }

func pend(ago time.Duration) func(*observed) {
	return func(f *observed) {
		request := f.desired.ask("PENDING", f.now.Add(-ago))
		f.record.Pending = &request
	}
}

func before(id string, removeIn time.Duration) func(*observed) {
	return func(f *observed) {
		f.record.Previous = append(f.record.Previous, v1alpha1.PreviousActivation{ID: id, RemoveAt: metav1.NewTime(f.now.Add(removeIn))})
	}
}

func noCode(f *observed) { f.stored = nil }

func TestDecisions(t *testing.T) {
	const short, long = 10 * time.Second, 2 * time.Hour
	type want struct {
		create   string // the beginning
		graceful bool
		settling bool
		remove   []string
		stray    []string
		previous int
		pending  bool
		wake     time.Duration // from noon
	}
	rotateIn := 24*time.Hour - 144*time.Minute - long
	for name, c := range map[string]struct {
		facts observed
		want  want
	}{
		"nothing yet":                     {observed{now: noon, desired: wanted(), seen: observation{begun: noon}}, want{create: firstTime}},
		"all is well":                     {world(long), want{wake: rotateIn}},
		"its code was lost":               {world(long, noCode), want{create: "its code was lost", remove: []string{"current"}}},
		"deleted in AWS":                  {world(long, unseen("current")), want{create: "it was deleted"}},
		"too young to be shown":           {world(short, unseen("current")), want{settling: true, wake: 51 * time.Second}},
		"young, and deleted by ourselves": {world(short, unseen("current"), func(f *observed) { f.seen.gone = map[string]string{"current": "CURRENT"} }), want{create: "it was deleted"}},
		"another that nobody stored":      {world(long, see("lost")), want{remove: []string{"lost"}, stray: []string{"lost"}, wake: rotateIn}},
		"another that was used":           {world(long, see("lost", used(1))), want{remove: []string{"lost"}, wake: rotateIn}},
		"unanswered a moment ago":         {world(long, noCode, unseen("current"), pend(short)), want{settling: true, pending: true, wake: 51 * time.Second}},
		"unanswered before a restart": {
			world(long, noCode, unseen("current"), pend(time.Minute), func(f *observed) { f.started = noon.Add(-short) }),
			want{settling: true, pending: true, wake: 51 * time.Second},
		},
		"unanswered, and found": {
			world(long, noCode, unseen("current"), pend(short), see("found", func(a *ssm.Activation) { a.Tags[v1alpha1.TagNonce] = "PENDING" })),
			want{create: "its code was lost", remove: []string{"found"}, stray: []string{"found"}},
		},
		"unanswered, and deleted by ourselves": {
			world(long, noCode, unseen("current"), pend(short), func(f *observed) { f.seen.gone = map[string]string{"x": "PENDING"} }),
			want{create: "its code was lost"},
		},
		"unanswered, and nothing came of it": {world(long, noCode, unseen("current"), pend(2*time.Minute)), want{create: "its code was lost"}},
		"unanswered beside a current one":    {world(long, pend(short)), want{settling: true, pending: true, wake: 51 * time.Second}},
		"stored before the record said so":   {world(short, pend(short), func(f *observed) { f.record.Pending.Nonce = "CURRENT" }), want{wake: 24*time.Hour - 144*time.Minute - short}},
		"another role":                       {world(long, see("current", func(a *ssm.Activation) { a.Role = "Old" })), want{create: "its role is Old"}},
		"other tags":                         {world(long, see("current", func(a *ssm.Activation) { a.Tags["Env"] = "prod" })), want{create: "its tags"}},
		"a tag of AWS more":                  {world(long, see("current", func(a *ssm.Activation) { a.Tags["aws:x"] = "y" })), want{wake: rotateIn}},
		"a higher limit":                     {world(long, see("current", func(a *ssm.Activation) { a.Limit = 2 })), want{create: "its limit is 2", graceful: true}},
		"a lower limit":                      {world(long, see("current", func(a *ssm.Activation) { a.Limit = 9 })), want{create: "its limit is 9"}},
		"another name":                       {world(long, see("current", func(a *ssm.Activation) { a.DefaultInstanceName = "x" })), want{create: "defaultInstanceName", graceful: true}},
		"another description":                {world(long, see("current", func(a *ssm.Activation) { a.Description = "x" })), want{create: "description", graceful: true}},
		"a shorter validity":                 {world(long, func(f *observed) { f.desired.validity = time.Hour }), want{create: "validFor"}},
		"a longer validity":                  {world(long, func(f *observed) { f.desired.validity = 600 * time.Hour }), want{create: "validFor", graceful: true}},
		"a change, used up":                  {world(long, see("current", func(a *ssm.Activation) { a.Description, a.Registered = "x", 3 })), want{create: "description"}},
		"about to expire":                    {world(23 * time.Hour), want{create: "it was about to expire", graceful: true}},
		"about to expire, with one before":   {world(23*time.Hour, see("old"), before("old", time.Minute)), want{previous: 1, wake: time.Minute}},
		"expired":                            {world(25 * time.Hour), want{create: "it expired"}},
		"expired, with one before":           {world(25*time.Hour, see("old", func(a *ssm.Activation) { a.Expires = noon.Add(time.Hour) }), before("old", time.Minute)), want{create: "it expired", remove: []string{"old"}}},
		"used up":                            {world(long, see("current", used(3))), want{wake: rotateIn}},
		"used up, to be replenished":         {world(long, see("current", used(3)), func(f *observed) { f.desired.replenish = true }), want{create: "all its registrations"}},
		"one before in its grace":            {world(long, see("old"), before("old", time.Minute)), want{previous: 1, wake: time.Minute}},
		"one before past its grace":          {world(long, see("old"), before("old", 0)), want{remove: []string{"old"}, wake: rotateIn}},
		"one before, used up":                {world(long, see("old", used(3)), before("old", time.Minute)), want{remove: []string{"old"}, wake: rotateIn}},
		"one before that is not shown":       {world(long, before("old", time.Minute)), want{remove: []string{"old"}, wake: rotateIn}},
		"about to be replaced, and was not":  {world(long, before("current", time.Minute)), want{wake: rotateIn}},
		"a change, with one before": {
			world(long, see("old"), before("old", time.Minute), see("current", func(a *ssm.Activation) { a.Limit = 9 })),
			want{create: "its limit is 9", remove: []string{"old"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := planFor(c.facts)
			got := want{
				create: d.create, graceful: d.graceful, settling: d.settling, remove: d.remove, stray: d.stray,
				previous: len(d.record.Previous), pending: d.record.Pending != nil,
			}
			if d.create == "" && !d.wake.IsZero() {
				got.wake = d.wake.Sub(noon)
			}
			if c.want.create != "" && strings.HasPrefix(got.create, c.want.create) {
				got.create = c.want.create
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// anyWorld draws facts of every sort, sensible or not.
func anyWorld(t *rapid.T) observed {
	f := world(rapid.SampledFrom([]time.Duration{0, 5 * time.Second, 2 * time.Minute, 23 * time.Hour, 25 * time.Hour}).Draw(t, "age"))
	ids := []string{"current", "a", "b", "c"}
	f.seen.begun = noon.Add(-rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute, time.Hour}).Draw(t, "listed"))
	f.started = noon.Add(-rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour}).Draw(t, "started"))
	f.desired.replenish = rapid.Bool().Draw(t, "replenish")
	for _, id := range ids {
		if !rapid.Bool().Draw(t, "see "+id) {
			delete(f.seen.activations, id)
			continue
		}
		see(id, used(rapid.Int32Range(0, 3).Draw(t, "used")), func(a *ssm.Activation) {
			a.Limit = rapid.SampledFrom([]int32{3, 9}).Draw(t, "limit")
			a.Expires = noon.Add(rapid.SampledFrom([]time.Duration{-time.Hour, time.Minute, 20 * time.Hour}).Draw(t, "expires"))
			a.Tags[v1alpha1.TagNonce] = rapid.SampledFrom([]string{"CURRENT", "PENDING", "OTHER"}).Draw(t, "nonce")
		})(&f)
	}
	for _, id := range ids {
		if rapid.Bool().Draw(t, "previous "+id) {
			before(id, rapid.SampledFrom([]time.Duration{-time.Minute, time.Minute}).Draw(t, "grace"))(&f)
		}
	}
	if rapid.Bool().Draw(t, "pending") {
		pend(rapid.SampledFrom([]time.Duration{0, 30 * time.Second, 2 * time.Minute}).Draw(t, "ago"))(&f)
	}
	if rapid.Bool().Draw(t, "lost") {
		f.stored = nil
	}
	return f
}

func TestWhateverIsFoundAtMostTwoActivationsStayAliveAndNoneWithoutACode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyWorld(t)
		d := planFor(f)
		left := maps.Clone(f.seen.activations)
		for _, id := range d.remove {
			delete(left, id)
		}
		stored := ""
		if f.stored != nil {
			stored = f.stored.ID
		}
		if slices.Contains(d.remove, stored) {
			t.Fatalf("the activation whose code is stored is deleted: %+v", d)
		}
		for id := range left {
			kept := slices.ContainsFunc(d.record.Previous, func(p v1alpha1.PreviousActivation) bool { return p.ID == id && f.now.Before(p.RemoveAt.Time) })
			if id != stored && !kept {
				t.Fatalf("%s is left alive, and nobody holds its code: %+v", id, d)
			}
		}
		if d.create == "" {
			return
		}
		if d.settling || d.record.Pending != nil {
			t.Fatalf("another is made although it is not known what an earlier request came to: %+v", d)
		}
		if len(left) > 1 {
			t.Fatalf("with another one, %d would be alive: %+v", len(left)+1, d)
		}
		next := d.replaced(f.desired.ask("NEXT", f.now), f.now)
		if next.Pending == nil || len(next.Previous) > 1 {
			t.Fatalf("the record is %+v", next)
		}
	})
}

func TestADecisionDoesNotChangeWhatItRestsOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyWorld(t)
		text := fmt.Sprintf("%+v %+v", f, *f.record)
		first := planFor(f)
		if again := planFor(f); !reflect.DeepEqual(first, again) {
			t.Fatalf("first %+v, then %+v", first, again)
		}
		if now := fmt.Sprintf("%+v %+v", f, *f.record); now != text {
			t.Fatalf("%s\nbecame %s", text, now)
		}
	})
}

func TestFreshnessAsksForAReadThatTells(t *testing.T) {
	started := noon.Add(-time.Hour)
	record := func(ago time.Duration) *v1alpha1.ActivationRecord {
		f := world(0, pend(ago))
		return f.record
	}
	stored := func(ago time.Duration) *content { return world(ago).stored }
	for name, c := range map[string]struct {
		record *v1alpha1.ActivationRecord
		stored *content
		want   time.Duration // before noon
	}{
		"of nothing":                      {nil, nil, maxAge},
		"of what was stored long ago":     {nil, stored(time.Hour), maxAge},
		"of what was stored now":          {nil, stored(5 * time.Second), 5 * time.Second},
		"of what can be told by now":      {nil, stored(65 * time.Second), 4 * time.Second},
		"of a request a moment ago":       {record(5 * time.Second), nil, 5 * time.Second},
		"of a request that can be told":   {record(65 * time.Second), nil, 4 * time.Second},
		"of a request that was told long": {record(time.Hour), nil, maxAge},
	} {
		if got := noon.Sub(freshness(noon, started, c.record, c.stored)); got != c.want {
			t.Errorf("%s: at most %v old, want %v", name, got, c.want)
		}
	}
}
