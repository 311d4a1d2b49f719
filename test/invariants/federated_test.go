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
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// openFederated opens a session of a federated token.
const openFederated = "open a federated session"

// federations draws a federated session: its name may be a user's, which means
// nothing. Some time may pass after it, so that it is older than the grants that
// come.
func federations(t *rapid.T) act {
	name, number := drawn(t, "name", "user01", "another", "deploy"), evenly(t, "node", 4)
	document := drawn(t, "document", v1alpha1.DefaultDocument, v1alpha1.DefaultDocument, "Shell")
	passes := drawn(t, "passes", 0, 0, time.Minute, 10*time.Minute)
	return act{
		kind: openFederated, text: fmt.Sprintf("of %s on node %d with %s, then %s pass", name, number, document, passes),
		do: func(ctx context.Context, h *invariants.Harness) error {
			if err := enforce(ctx, h); err != nil {
				return err
			}
			if err := h.AwaitQuiescence(ctx); err != nil {
				return err
			}
			if err := h.Observer.OpenFederated(name, number, document); err != nil {
				return err
			}
			happened.count(openFederated)
			h.Emulator.Advance(passes)
			return nil
		},
	}
}

// A federated session ends with the revocation of any grant on its node, and not
// before; one that is older than all of them stays.
func TestFederatedSessionsEndWithTheGrantsOnTheirNode(t *testing.T) {
	h := attacked(t, 0, 0)
	one, other := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01)), invariants.Access(invariants.Namespace, "b", grant(people(user("user02")), pc01))
	older := invariants.Access(invariants.Namespace, "c", grant(people(user("user01")), pc02))
	if err := declare(t.Context(), h, one, other); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	for n := range 2 {
		if err := h.Observer.OpenFederated("user01", n, v1alpha1.DefaultDocument); err != nil {
			t.Fatal(err)
		}
	}
	h.Emulator.Advance(10 * time.Minute)
	if err := declare(t.Context(), h, older); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	if err := h.Delete(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	if err := remove(t.Context(), h, other, older); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	if open := h.Observer.Federated(); len(open) != 1 || !strings.Contains(open[0], pc02) {
		t.Errorf("open are %v", open)
	}
}

// What the judge of federated sessions finds.
func TestTheObserverFindsWhatIsWrongWithFederatedSessions(t *testing.T) {
	key := client.ObjectKey{Namespace: invariants.Namespace, Name: "a"}
	access := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01)).Spec
	opened := func(t *testing.T, s *awsemulator.Server, o *invariants.Observer, u invariants.Domain) (end func()) {
		t.Helper()
		if err := o.OpenFederated("another", 0, v1alpha1.DefaultDocument); err != nil {
			t.Fatal(err)
		}
		return func() {
			for x := range s.Account(u.AccountID).Region(u.Region).SSM.Sessions() {
				s.Account(u.AccountID).Region(u.Region).SSM.End(s.Now(), x.ID)
			}
		}
	}
	for name, test := range map[string]struct {
		breaks func(*testing.T, *awsemulator.Server, *invariants.Observer, invariants.Domain)
		want   string
	}{
		"a token that a grant lets in": {func(t *testing.T, s *awsemulator.Server, _ *invariants.Observer, u invariants.Domain) {
			t.Helper()
			put(t, s, u.AccountID, fixtures.Policy{Name: "ssma-x", Path: ownPath, Document: []byte(startOn)}, "user01")
		}, "a federated token of"},
		"one that stays open": {func(t *testing.T, s *awsemulator.Server, o *invariants.Observer, u invariants.Domain) {
			t.Helper()
			opened(t, s, o, u)
			o.Withdraw(key)
		}, "is open, and a grant on the node was lost"},
		"one that is ended for nothing": {func(t *testing.T, s *awsemulator.Server, o *invariants.Observer, u invariants.Domain) {
			t.Helper()
			opened(t, s, o, u)()
		}, "was ended, and no grant on the node was lost"},
		"one that is older": {func(t *testing.T, s *awsemulator.Server, o *invariants.Observer, u invariants.Domain) {
			t.Helper()
			if err := o.OpenFederated("another", 1, v1alpha1.DefaultDocument); err != nil {
				t.Fatal(err)
			}
			end := opened(t, s, o, u)
			s.Advance(10 * time.Minute)
			o.Declare(client.ObjectKey{Namespace: invariants.Namespace, Name: "b"}, invariants.Access(invariants.Namespace, "b", grant(people(user("user01")), pc02)).Spec)
			o.Withdraw(client.ObjectKey{Namespace: invariants.Namespace, Name: "b"})
			end()
		}, "was ended, and began before every grant on the node"},
	} {
		t.Run(name, func(t *testing.T) {
			u, fixture := invariants.Small()
			server, err := awsemulator.New(awsemulator.Options{Fixture: fixture, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			o := invariants.NewObserver(server, u, invariants.Facts{Allowed: []string{invariants.Namespace}, Users: []string{"user"}, Exist: u.People[0].As}, testenv.DefaultOwner)
			o.Declare(key, access)
			_ = o.Judge(nil) // What is declared counts as active at rest.
			test.breaks(t, server, o, u)
			if err := o.Judge(nil); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the observer says %v, want %q", err, test.want)
			}
		})
	}
}
