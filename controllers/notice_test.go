package controllers_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestWhatIAMCannotTieTogetherIsToldOnBothObjects(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := access("one", "user01", pc01), access("two", "user01", pc02)
	two.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	w.create(account(), one, two)
	for _, grant := range []*v1alpha1.SessionAccess{one, two} {
		got := w.noticed(grant, v1alpha1.ConditionWidened)
		w.sentence(got.Message, "team-a/one", "team-a/two", "User/user01")
	}
	w.must(w.Client.Delete(t.Context(), two))
	_, err := testenv.WaitFor(t.Context(), w.Client, one, func(a *v1alpha1.SessionAccess) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionWidened).Type == ""
	})
	w.must(err)
}

func TestASharedPrefixIsToldToBothUsers(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(accountID).IAM
	w.must(aws.AddUser(fixtures.User{Name: "bob"}))
	w.must(aws.AddUser(fixtures.User{Name: "bob-smith"}))
	bob, smith := access("bob", "bob", pc01), access("smith", "bob-smith", pc02)
	w.create(account(), bob)
	w.sentence(w.noticed(bob, v1alpha1.ConditionPrefixHazard).Message, "bob-smith", "OwnerTag")
	w.create(smith)
	w.sentence(w.noticed(smith, v1alpha1.ConditionPrefixHazard).Message, "bob", "OwnerTag")
	change(w, bob, func(a *v1alpha1.SessionAccess) { a.Spec.SessionScope = v1alpha1.ScopeOwnerTag })
	_, err := testenv.WaitFor(t.Context(), w.Client, bob, func(a *v1alpha1.SessionAccess) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionPrefixHazard).Type == ""
	})
	w.must(err)
}

func TestGuardrailsRefuseWithTheirOwnSentence(t *testing.T) {
	rule := func(change func(*v1alpha1.Guardrail)) *v1alpha1.AWSAccount {
		return account(func(a *v1alpha1.AWSAccount) {
			g := v1alpha1.Guardrail{Name: "team-rule", NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}}
			change(&g)
			a.Spec.Guardrails = []v1alpha1.Guardrail{g}
		})
	}
	for name, c := range map[string]struct {
		main *v1alpha1.AWSAccount
		says string
		mend func(*v1alpha1.SessionAccessSpec)
	}{
		"another principal": {rule(func(g *v1alpha1.Guardrail) {
			g.Principals = []v1alpha1.PrincipalPattern{{Kind: v1alpha1.PrincipalUser, Name: "user02*"}}
		}), "User/user01", func(s *v1alpha1.SessionAccessSpec) { s.Principals[0].Name = "user02" }},
		"another document": {
			rule(func(g *v1alpha1.Guardrail) { g.Documents = []v1alpha1.NamePattern{"AWS-*"} }),
			"SSM-SessionManagerRunShell", func(s *v1alpha1.SessionAccessSpec) {
				s.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
			},
		},
		"no end": {
			rule(func(g *v1alpha1.Guardrail) { g.MaxValidity = &metav1.Duration{Duration: 720 * time.Hour} }),
			"720h", func(s *v1alpha1.SessionAccessSpec) {
				s.NotAfter = &metav1.Time{Time: time.Now().Add(24 * time.Hour).Truncate(time.Second)}
			},
		},
		"no MFA": {
			rule(func(g *v1alpha1.Guardrail) { g.RequireMFA = true }),
			"requireMFA", func(s *v1alpha1.SessionAccessSpec) { s.RequireMFA = true },
		},
		"sessions left": {
			rule(func(g *v1alpha1.Guardrail) { g.ForbidLeaveSessions = true }),
			"TerminateSessions", func(s *v1alpha1.SessionAccessSpec) { s.OnRevoke = v1alpha1.RevokeTerminateSessions },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			grant := access("user01-pc01", "user01", pc01)
			grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
			w.create(c.main, grant)
			got := w.accessIs(grant, v1alpha1.ReasonGuardrailViolated)
			w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "team-rule", c.says)
			if n := w.writes(); n != 0 {
				t.Errorf("%d writes for what a guardrail forbids", n)
			}
			change(w, grant, func(a *v1alpha1.SessionAccess) { c.mend(&a.Spec) })
			w.accessIs(grant, v1alpha1.ReasonGranted)
		})
	}
}

func TestRequiredTagsBindInstancesThatAreGivenByID(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.tagNode(pc01, map[string]string{"Team": "a"})
	main := account(func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{{Name: "own-nodes", NamespaceSelector: &metav1.LabelSelector{}, RequiredTags: map[string]string{"Team": "a"}}}
	})
	grant := access("both", "user01", pc01, pc02)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(true, false, false, false)
	w.tagNode(pc01, nil)
	w.grid(false, false, false, false)
}

// clash is an account whose guardrail allows shells only on the nodes of team-a, an
// access that it allows, and one of team-b for the same user that conflicts with it.
func (w world) clash() (main *v1alpha1.AWSAccount, shell, forwarding *v1alpha1.SessionAccess) {
	w.t.Helper()
	w.must(w.Namespace(w.t.Context(), "team-b", map[string]string{"team": "b"}))
	main = account(func(a *v1alpha1.AWSAccount) {
		a.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll}
		a.Spec.Guardrails = []v1alpha1.Guardrail{{
			Name:              "shell-only",
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}},
			Documents:         []v1alpha1.NamePattern{v1alpha1.DefaultDocument},
		}}
	})
	shell, forwarding = access("shell", "user01", pc01), access("forwarding", "user01", pc02)
	forwarding.Namespace = "team-b"
	forwarding.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	return main, shell, forwarding
}

func TestTheNewerGrantIsRefusedWhereTheTwoWouldBreakAGuardrail(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, shell, forwarding := w.clash()
	w.create(main, shell)
	w.accessIs(shell, v1alpha1.ReasonGranted)
	w.create(forwarding)
	got := w.accessIs(forwarding, v1alpha1.ReasonGuardrailViolated)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "team-a/shell", "team-b/forwarding", "shell-only", "AWS-StartPortForwardingSession")
	w.grid(true, false, false, false)
	change(w, forwarding, func(a *v1alpha1.SessionAccess) { a.Spec.Principals[0].Name = "user02" })
	w.accessIs(forwarding, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, forwarding)
	w.accessIs(forwarding, v1alpha1.ReasonGranted)
}

func TestAGrantThatIsDisplacedLosesItsOpenSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.must(w.Namespace(t.Context(), "team-b", map[string]string{"team": "b"}))
	main := account(func(a *v1alpha1.AWSAccount) {
		a.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll}
	})
	shell, forwarding := access("shell", "user01", pc01), access("forwarding", "user01", pc02)
	forwarding.Namespace = "team-b"
	forwarding.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	w.create(main, shell)
	w.accessIs(shell, v1alpha1.ReasonGranted)
	w.create(forwarding)
	w.accessIs(forwarding, v1alpha1.ReasonGranted)
	kept := w.open(user("user01"), pc01)
	lost, err := w.Emulator.OpenSession(user("user01"), region, pc02, "AWS-StartPortForwardingSession")
	w.must(err)
	change(w, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{{
			Name:              "shell-only",
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}},
			Documents:         []v1alpha1.NamePattern{v1alpha1.DefaultDocument},
		}}
	})
	w.accessIs(forwarding, v1alpha1.ReasonGuardrailViolated)
	w.untilEnded(lost)
	w.openStill(kept)
}

func TestAUserAndItsGroupTogetherAreWidened(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	aws := w.Emulator.Account(accountID).IAM
	w.must(aws.AddGroup(fixtures.Group{Name: "operators"}))
	w.must(aws.AddUser(fixtures.User{Name: "member", Groups: []string{"operators"}}))
	own, groups := access("own", "member", pc01), access("groups", "", pc02)
	groups.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
	groups.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	w.create(account(), own, groups)
	for _, grant := range []*v1alpha1.SessionAccess{own, groups} {
		w.sentence(w.noticed(grant, v1alpha1.ConditionWidened).Message, "team-a/own", "team-a/groups", "User/member")
	}
	w.must(w.Client.Delete(t.Context(), groups))
	_, err := testenv.WaitFor(t.Context(), w.Client, own, func(a *v1alpha1.SessionAccess) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionWidened).Type == ""
	})
	w.must(err)
}

func TestNobodyIsToldOfARefusedGrantThatItWidens(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	impossible, other := access("impossible", "user01", pc01), access("other", "user01", pc02)
	impossible.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "a control character \a"}}}
	other.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	w.create(account(), impossible)
	w.accessIs(impossible, v1alpha1.ReasonInvalidSpec)
	w.create(other)
	got := w.accessIs(other, v1alpha1.ReasonGranted)
	if c := condition(got.Status.Conditions, v1alpha1.ConditionWidened); c.Type != "" {
		t.Errorf("there is nothing to widen: %s", c.Message)
	}
	widened := func(a *v1alpha1.SessionAccess) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionWidened).Type != ""
	}
	if got := w.accessIs(impossible, v1alpha1.ReasonInvalidSpec); widened(got) {
		t.Error("a refused grant says that it is widened")
	}
}
