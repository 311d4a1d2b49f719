package awsaccount

import (
	"slices"
	"testing"
	"time"
)

func TestAPinnedPolicyIsKeptForABoundedTime(t *testing.T) {
	t.Parallel()
	const id, other = "488821267897", "111111111111"
	at := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	var p pins
	if kept := p.keep(id, []string{"a"}, at); !slices.Equal(kept, []string{"a"}) {
		t.Errorf("at first %v are kept", kept)
	}
	if kept := p.keep(id, []string{"a", "b"}, at.Add(pinnedFor-time.Second)); !slices.Equal(kept, []string{"a", "b"}) {
		t.Errorf("before the time is over %v are kept", kept)
	}
	if kept := p.keep(other, []string{"a"}, at.Add(pinnedFor)); !slices.Equal(kept, []string{"a"}) {
		t.Errorf("in another account %v are kept", kept)
	}
	if kept := p.keep(id, []string{"a", "b"}, at.Add(pinnedFor)); !slices.Equal(kept, []string{"b"}) {
		t.Errorf("when the time is over %v are kept", kept)
	}
	// What was recorded in between begins again.
	p.keep(id, nil, at.Add(pinnedFor))
	if kept := p.keep(id, []string{"a"}, at.Add(2*pinnedFor)); !slices.Equal(kept, []string{"a"}) {
		t.Errorf("after a pause %v are kept", kept)
	}
}
