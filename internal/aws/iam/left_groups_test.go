package iam

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

func TestTheGroupsThatAUserLeftAreRememberedForAWeek(t *testing.T) {
	w := newWorld(t)
	w.settle()
	expect := func(when, user string, want ...string) {
		t.Helper()
		if got := w.cache.LeftGroups(user); !slices.Equal(got, want) {
			t.Errorf("%s %s has left %v, want %v", when, user, got, want)
		}
	}
	expect("before", "alice")
	w.must(w.iam().Leave("alice", "admins"))
	w.refresh()
	expect("after leaving", "Alice", "admins")
	w.aws.Advance(leftFor - time.Minute)
	w.refresh()
	expect("within the week", "alice", "admins")
	w.aws.Advance(2 * time.Minute)
	w.refresh()
	expect("after the week", "alice")
}

// An open session names its owner as before.
func TestAUserWhoDisappearedHasLeftTheGroups(t *testing.T) {
	for name, change := range map[string]func(*emuiam.Account) error{
		"deleted": func(a *emuiam.Account) error { return a.RemoveEntity(emuiam.User, "alice") },
		"renamed": func(a *emuiam.Account) error { return a.Rename(emuiam.User, "alice", "alice2") },
		"replaced": func(a *emuiam.Account) error {
			return errors.Join(a.RemoveEntity(emuiam.User, "alice"), a.AddUser(fixtures.User{Name: "alice"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.settle()
			w.must(change(w.iam()))
			w.refresh()
			if got := w.cache.LeftGroups("alice"); !slices.Equal(got, []string{"admins"}) {
				t.Errorf("alice has left %v", got)
			}
		})
	}
}
