package iam

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

func (w *world) iam() *emuiam.Account { return w.aws.Account(testAccount).IAM }

func TestAUniqueIDOutlivesARename(t *testing.T) {
	w := newWorld(t)
	w.settle()
	before := map[Principal]string{}
	for _, p := range []Principal{alice, admins, deploy} {
		before[p] = w.cache.Principal(p).ID
		if name := w.cache.NameOf(p.Kind, before[p]); before[p] == "" || name != p.Name {
			t.Errorf("%s has the id %q, which belongs to %q", p, before[p], name)
		}
		if view, err := w.account.LookUpPrincipal(t.Context(), p); err != nil || view.ID != before[p] {
			t.Errorf("a look at %s finds the id %q, %v; a Refresh found %q", p, view.ID, err, before[p])
		}
	}
	w.must(w.iam().Rename(emuiam.User, "alice", "alice2"))
	w.must(w.iam().Rename(emuiam.Group, "admins", "admins2"))
	w.refresh()
	if w.cache.Principal(alice).Presence != Absent || w.cache.NameOf(User, before[alice]) != "alice2" || w.cache.NameOf(Group, before[admins]) != "admins2" {
		t.Error("the renamed ones are not found by their ids")
	}
	if w.cache.NameOf(Role, before[alice]) != "" || w.cache.NameOf(User, "") != "" {
		t.Error("an id belongs to another kind, or no id to a principal")
	}
}

func TestAPrincipalMadeAgainHasAnotherID(t *testing.T) {
	w := newWorld(t)
	w.settle()
	before := w.cache.Principal(alice).ID
	w.must(w.iam().RemoveEntity(emuiam.User, "alice"))
	w.must(w.iam().AddUser(fixtures.User{Name: "alice"}))
	// A look at it alone does not know its groups.
	view, err := w.account.LookUpPrincipal(t.Context(), alice)
	w.must(err)
	if view.ID == before || view.Complete || len(view.Groups) != 0 {
		t.Errorf("the look finds %+v", view)
	}
	report := w.refresh()
	if !slices.Contains(report.Principals, alice) || w.cache.Principal(alice).ID != view.ID || w.cache.NameOf(User, before) != "" {
		t.Errorf("the Refresh reports %+v", report.Principals)
	}
}

func TestTheMembersOfAGroupThatIsGoneAreRemembered(t *testing.T) {
	w := newWorld(t)
	w.settle()
	id := w.cache.Principal(admins).ID
	if got := w.cache.FormerMembers(id); len(got) != 0 {
		t.Errorf("a group that exists has the former members %v", got)
	}
	w.must(w.iam().RemoveEntity(emuiam.Group, "admins"))
	w.must(w.iam().AddGroup(fixtures.Group{Name: "admins"}))
	w.refresh()
	if got := w.cache.FormerMembers(id); !slices.Equal(got, []string{"alice"}) {
		t.Errorf("the former members are %v", got)
	}
	w.refresh()
	if got := w.cache.FormerMembers(id); !slices.Equal(got, []string{"alice"}) {
		t.Errorf("after another read the former members are %v", got)
	}
}

// drifting is a world that notes the drifts that are reported.
func drifting(t *testing.T) (w *world, reported func() []Drift) {
	t.Helper()
	var all []Drift
	w = newWorld(t)
	w.renew(func(p *Pool) {
		p.OnDrift(func(accountID string, drifts []Drift) {
			if accountID != testAccount {
				t.Errorf("drift of account %s is reported", accountID)
			}
			all = append(all, drifts...)
		})
	})
	return w, func() []Drift {
		reported := all
		all = nil
		return reported
	}
}

func TestEveryReadReportsTheDriftThatItFinds(t *testing.T) {
	for name, read := range map[string]func(w *world) error{
		"a Refresh": func(w *world) error {
			_, err := w.cache.Refresh(t.Context())
			return err
		},
		"a look at the policy": func(w *world) error {
			_, err := w.account.LookUpPolicy(t.Context(), testPolicy)
			return err
		},
		"the list that a full policy needs": func(w *world) error {
			w.cache.record(testPolicy, func(p *policy) { p.versions = nil })
			return w.account.PutDocument(t.Context(), testPolicy, grantB)
		},
		"the list that a deletion needs": func(w *world) error {
			w.cache.record(testPolicy, func(p *policy) { p.versions = nil })
			return w.account.DeletePolicy(t.Context(), testPolicy)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, reported := drifting(t)
			w.create(testPolicy, grantA)
			for range 3 {
				w.must(w.account.PutDocument(t.Context(), testPolicy, grantB))
				w.must(w.account.PutDocument(t.Context(), testPolicy, grantA))
			}
			w.settle()
			if early := reported(); len(early) != 0 {
				t.Fatalf("%v is reported, and nothing was changed", early)
			}
			_, err := w.stranger.SetDefaultPolicyVersion(t.Context(), &iam.SetDefaultPolicyVersionInput{PolicyArn: arnOf(testPolicy), VersionId: aws.String("v6")})
			w.must(err)
			w.must(read(w))
			got := reported()
			if len(got) != 1 || got[0].Policy != testPolicy || (got[0].Kind != DefaultMoved && got[0].Kind != Edited) {
				t.Errorf("reported is %+v", got)
			}
		})
	}
}

func TestTheCacheKnowsWhatOldVersionsSay(t *testing.T) {
	w := newWorld(t)
	w.create(testPolicy, grantA)
	w.must(w.account.PutDocument(t.Context(), testPolicy, grantB))
	documents := func() map[string]string {
		known := map[string]string{}
		for _, v := range w.cache.Policy(testPolicy).Versions {
			known[v.ID] = v.Document
		}
		return known
	}
	check := func(when string, want map[string]string) {
		t.Helper()
		got := documents()
		if len(got) != len(want) {
			t.Fatalf("%s: the versions say %v, want %v", when, got, want)
		}
		for id, document := range want {
			if got[id] != document {
				t.Errorf("%s: version %s says %q, want %q", when, id, got[id], document)
			}
		}
	}
	check("by our own writes", map[string]string{"v1": grantA, "v2": grantB})
	w.settle()
	check("by a Refresh", map[string]string{"v1": grantA, "v2": grantB})
	w.restart()
	w.settle()
	check("after a restart", map[string]string{"v1": grantA, "v2": grantB})
	_, err := w.stranger.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: arnOf(testPolicy), PolicyDocument: aws.String(grantC), SetAsDefault: true})
	w.must(err)
	_, err = w.account.LookUpPolicy(t.Context(), testPolicy)
	w.must(err)
	check("by a look at it", map[string]string{"v1": grantA, "v2": grantB, "v3": grantC})
	w.must(w.account.DeleteVersion(t.Context(), testPolicy, "v1"))
	check("after a deletion", map[string]string{"v2": grantB, "v3": grantC})
	w.must(w.account.DeleteVersion(t.Context(), testPolicy, "v1"))
	if err := w.account.DeleteVersion(t.Context(), testPolicy, "v3"); awserr.Classify(err) != awserr.Conflict {
		t.Errorf("deleting the default version: %v", err)
	}
	if err := w.account.DeleteVersion(t.Context(), "Foreign", "v1"); awserr.Classify(err) != awserr.Invalid {
		t.Errorf("deleting a version of a foreign policy: %v", err)
	}
	w.refresh()
	check("after another Refresh", map[string]string{"v2": grantB, "v3": grantC})
}
