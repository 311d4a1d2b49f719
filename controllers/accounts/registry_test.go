package accounts_test

import (
	"context"
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
)

const id = "488821267897"

func TestAnAccountIsHeldBeforeItIsVerified(t *testing.T) {
	var calls []string
	r := accounts.NewRegistry(func(context.Context, string, string, bool) { calls = append(calls, "listener") })
	r.Hold = func(accountID string) { calls = append(calls, "hold "+accountID) }
	expect := func(want ...string) {
		t.Helper()
		if !slices.Equal(calls, want) {
			t.Errorf("got %q, want %q", calls, want)
		}
		calls = nil
	}
	put := func() { r.Put(t.Context(), accounts.Entry{Name: "main", AccountID: id}) }
	put()
	expect("hold "+id, "listener")
	put()
	expect("listener")
	r.Remove(t.Context(), "main")
	expect("listener")
	put()
	expect("hold "+id, "listener")
}

func TestOnlyAVerifiedAccountInModeEnforceIsWrittenTo(t *testing.T) {
	r := accounts.NewRegistry()
	if r.MayWrite(id) == nil {
		t.Error("an unknown account may be written to")
	}
	r.Put(t.Context(), accounts.Entry{Name: "main", AccountID: id, Mode: v1alpha1.ModeObserve})
	if r.MayWrite(id) == nil {
		t.Error("an observed account may be written to")
	}
	r.Put(t.Context(), accounts.Entry{Name: "main", AccountID: id, Mode: v1alpha1.ModeEnforce})
	if err := r.MayWrite(id); err != nil {
		t.Errorf("a verified account may not be written to: %v", err)
	}
	r.Remove(t.Context(), "main")
	if r.MayWrite(id) == nil {
		t.Error("an account that was lost may be written to")
	}
}
