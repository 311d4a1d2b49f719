package invariants_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// startOnlyUsers is startOn, which no federated token may use.
var startOnlyUsers = strings.Replace(startOn, `"Action"`, `"Condition":{"Null":{"aws:username":"false"}},"Action"`, 1)

// changeIAM is what an administrator does to a principal.
const changeIAM = "change a principal"

// deploy is the role of the domain.
func deploy() v1alpha1.Principal {
	return v1alpha1.Principal{Kind: v1alpha1.PrincipalRole, Name: "deploy"}
}

// away is the name of a principal that was renamed.
func away(p v1alpha1.Principal) v1alpha1.Principal {
	return v1alpha1.Principal{Kind: p.Kind, Name: p.Name + "-was"}
}

// fates are what happens to a principal that is there.
const (
	deleted  = "deleted"
	replaced = "deleted and made again"
	renamed  = "renamed"
	usurped  = "renamed, and another made under the name"
)

// principalChanges draws what becomes of a principal. One that is gone comes back
// first: a renamed one by its name, a deleted one as another.
func principalChanges(t *rapid.T) act {
	p := drawn(t, "principal", user("user01"), user("user01"), user("user02"), group("operators"), deploy())
	what := drawn(t, "fate", deleted, replaced, renamed, usurped)
	if p.Kind == v1alpha1.PrincipalRole && (what == renamed || what == usurped) {
		what = replaced // A role cannot be renamed.
	}
	opens := rapid.Bool().Draw(t, "opens")
	return act{kind: changeIAM, text: fmt.Sprintf("%s %s is %s, sessions are opened before: %t", p.Kind, p.Name, what, opens), do: func(ctx context.Context, h *invariants.Harness) error {
		return changePrincipal(ctx, h, p, what, opens)
	}}
}

func changePrincipal(ctx context.Context, h *invariants.Harness, p v1alpha1.Principal, what string, opens bool) error {
	before := act{kind: restAll}
	if opens {
		before.kind = openAll
	}
	if err := enforce(ctx, h); err != nil {
		return err
	}
	if err := perform(ctx, h, before); err != nil {
		return err
	}
	here, there := h.Observer.Exists(p), h.Observer.Exists(away(p))
	switch {
	case !here && there:
		happened.count("renamed back")
		return h.RenamePrincipal(away(p), p.Name)
	case !here:
		happened.count("made again")
		return h.AddPrincipal(p)
	case there && what != deleted:
		what = replaced // The other name is taken.
	}
	happened.count(what)
	return befall(h, p, what)
}

// directory is what changes principals.
type directory interface {
	RemovePrincipal(p v1alpha1.Principal) error
	RenamePrincipal(p v1alpha1.Principal, to string) error
	AddPrincipal(p v1alpha1.Principal) error
}

func befall(h directory, p v1alpha1.Principal, what string) error {
	gone := func() error { return h.RemovePrincipal(p) }
	if what == renamed || what == usurped {
		gone = func() error { return h.RenamePrincipal(p, away(p).Name) }
	}
	if err := gone(); err != nil || what == deleted || what == renamed {
		return err
	}
	return h.AddPrincipal(p)
}

// Fates of a user, a group and a role, one after the other, with open sessions; all of
// them with -whole.
func TestNamesInIAMAreNoIdentities(t *testing.T) {
	all := []string{deleted, "comes back", replaced, renamed, "comes back", usurped}
	for _, test := range []struct {
		who       v1alpha1.Principal
		recreated v1alpha1.RecreatedPrincipals
		fates     []string
	}{
		{user("user01"), v1alpha1.RecreatedHold, []string{replaced, renamed}},
		{user("user01"), v1alpha1.RecreatedGrant, []string{replaced, usurped}},
		{group("operators"), v1alpha1.RecreatedHold, []string{usurped}},
		{group("operators"), v1alpha1.RecreatedGrant, []string{deleted, "comes back"}},
		{deploy(), v1alpha1.RecreatedHold, []string{replaced}},
		{deploy(), v1alpha1.RecreatedGrant, []string{replaced}},
	} {
		t.Run(fmt.Sprint(test.who.Kind, " ", test.recreated), func(t *testing.T) {
			if *whole {
				test.fates = all
			}
			h := attacked(t, 0, 0)
			account := h.Account()
			account.Spec.RecreatedPrincipals = test.recreated
			if err := declare(t.Context(), h, account, invariants.Access(invariants.Namespace, "a", grant(people(test.who, user("user03")), pc01)),
				invariants.Access(invariants.Namespace, "b", grant(people(user("user02")), pc02))); err != nil {
				t.Fatal(err)
			}
			rest(t, h)
			h.Emulator.Advance(time.Hour)
			for _, what := range test.fates {
				if test.who.Kind == v1alpha1.PrincipalRole && (what == renamed || what == usurped) {
					what = replaced
				}
				if err := changePrincipal(t.Context(), h, test.who, what, true); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if err := h.AwaitQuiescence(t.Context()); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				confirm(t, h, test.who)
			}
		})
	}
}

// confirm removes a principal from an access, and adds it again at rest.
func confirm(t *testing.T, h *invariants.Harness, who v1alpha1.Principal) {
	t.Helper()
	for _, list := range [][]v1alpha1.Principal{people(user("user03")), people(who, user("user03"))} {
		if err := declare(t.Context(), h, invariants.Access(invariants.Namespace, "a", grant(list, pc01))); err != nil {
			t.Fatal(err)
		}
		rest(t, h)
	}
}

// What the judge finds where IAM's principals have changed.
func TestTheObserverFindsWhoHasTheAccessOfAnother(t *testing.T) {
	key := client.ObjectKey{Namespace: invariants.Namespace, Name: "a"}
	who := user("user01")
	for name, test := range map[string]struct {
		befalls, want string
		attach        string
	}{
		"made again, and has it": {replaced, "which nobody has declared", "user01"},
		"renamed, and keeps it":  {renamed, "which is not declared", ""},
		"its session stays":      {deleted, "is open, and nothing declares it any more", ""},
	} {
		t.Run(name, func(t *testing.T) {
			u, fixture := invariants.Small()
			server, err := awsemulator.New(awsemulator.Options{Fixture: fixture, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			o := invariants.NewObserver(server, u, invariants.Facts{Allowed: []string{invariants.Namespace}, Users: []string{"user"}, Exist: u.People[0].As}, testenv.DefaultOwner)
			o.Declare(key, invariants.Access(invariants.Namespace, "a", grant(people(who), pc01)).Spec)
			put(t, server, u.AccountID, fixtures.Policy{Name: "ssma-x", Path: ownPath, Document: []byte(startOnlyUsers)}, "user01")
			if err := o.Judge(nil); err != nil {
				t.Fatal(err)
			}
			if err := o.Open(invariants.Question{Person: u.People[0], Node: u.Nodes[0], Document: u.Documents[0]}); err != nil {
				t.Fatal(err)
			}
			if err := befall(o, who, test.befalls); err != nil {
				t.Fatal(err)
			}
			if test.attach != "" {
				if err := server.Account(u.AccountID).IAM.Attach(iam.User, test.attach, "arn:aws:iam::"+u.AccountID+":policy"+ownPath+"ssma-x"); err != nil {
					t.Fatal(err)
				}
			}
			if err := o.Judge(nil); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the observer says %v, want %q", err, test.want)
			}
		})
	}
}
