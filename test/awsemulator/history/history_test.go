package history_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/history"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func set(to int) func(int) (int, error) { return func(int) (int, error) { return to, nil } }

// TestPastIsSeenAsItWas compares with a list of everything that ever was.
func TestPastIsSeenAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keep := time.Duration(rapid.IntRange(1, 20).Draw(t, "keep")) * time.Second
		h := history.New(0, keep)
		type change struct {
			at    time.Time
			value int
		}
		all := []change{{start.Add(-time.Hour), 0}}
		now := start
		for i := range rapid.IntRange(0, 40).Draw(t, "changes") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "pause")) * time.Second)
			if err := h.Update(now, set(i+1), nil); err != nil {
				t.Fatal(err)
			}
			all = append(all, change{now, i + 1})
			ago := time.Duration(rapid.IntRange(0, int(keep/time.Second)).Draw(t, "ago")) * time.Second
			want := 0
			for _, c := range all {
				if !c.at.After(now.Add(-ago)) {
					want = c.value
				}
			}
			if got := h.At(now.Add(-ago)); got != want {
				t.Fatalf("%s ago it was %d, want %d", ago, got, want)
			}
		}
		if got := h.Latest(); got != len(all)-1 {
			t.Fatalf("the latest is %d, want %d", got, len(all)-1)
		}
	})
}

func TestFailedChangeLeavesTheValue(t *testing.T) {
	h := history.New(1, 0)
	refused := errors.New("no")
	err := h.Update(start, func(int) (int, error) { return 2, refused }, func(int) { t.Error("a failed change was committed") })
	if !errors.Is(err, refused) || h.Latest() != 1 {
		t.Fatalf("after %v the value is %d", err, h.Latest())
	}
}

func TestChangeMayBeReadWhenItIsCommitted(t *testing.T) {
	h := history.New(1, 0)
	seen := 0
	if err := h.Update(start, set(2), func(int) { seen = h.Latest() }); err != nil {
		t.Fatal(err)
	}
	if seen != 2 {
		t.Fatalf("at the commit the value is %d", seen)
	}
}

func TestNothingIsKeptUnlessAsked(t *testing.T) {
	h := history.New(0, 0)
	for i := range 5 {
		if err := h.Update(start.Add(time.Duration(i)*time.Second), set(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.At(start); got != 4 {
		t.Fatalf("the past is %d although none is kept", got)
	}
	h.Keep(start.Add(5*time.Second), time.Minute)
	if err := h.Update(start.Add(6*time.Second), set(9), nil); err != nil {
		t.Fatal(err)
	}
	if got := h.At(start.Add(5 * time.Second)); got != 4 {
		t.Fatalf("from when it is kept the past is %d, want 4", got)
	}
}
