package accounts_test

import (
	"context"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
)

const id = "488821267897"

func TestAnAccountIsOpenForGrantsOnceEveryListenerHasHeardOfIt(t *testing.T) {
	var r *accounts.Registry
	var heard []bool
	listener := func() accounts.Listener {
		return func(_ context.Context, accountID, _ string, _ bool) { heard = append(heard, r.Open(accountID)) }
	}
	first, second := listener(), listener()
	r = accounts.NewRegistry(first, second)
	r.Put(t.Context(), accounts.Entry{Name: "main", AccountID: id})
	if !r.Open(id) {
		t.Error("it is closed after all have heard")
	}
	r.Put(t.Context(), accounts.Entry{Name: "main", AccountID: id})
	want := []bool{false, false, true, true}
	if len(heard) != len(want) {
		t.Fatalf("%d listeners heard, want %d", len(heard), len(want))
	}
	for i := range want {
		if heard[i] != want[i] {
			t.Errorf("listener %d found it open = %v, want %v", i, heard[i], want[i])
		}
	}
	r.Remove(t.Context(), "main")
	heard = nil
	r.Put(t.Context(), accounts.Entry{Name: "main", AccountID: id})
	if heard[0] {
		t.Error("an account that comes back is open before anybody has heard of it")
	}
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
