package sessionaccess_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestWhatIAMCannotTieTogetherIsToldOnBothObjects(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	one, two := scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user01", scenario.PC02)
	two.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	w.Create(scenario.Account(), one, two)
	for _, grant := range []*v1alpha1.SessionAccess{one, two} {
		got := w.noticed(grant, v1alpha1.ConditionEffectiveAccessBroader)
		w.ExpectSentence(got.Message, "team-a/one", "team-a/two", "User/user01")
	}
	w.Must(w.Client.Delete(t.Context(), two))
	_, err := testenv.WaitFor(t.Context(), w.Client, one, func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionEffectiveAccessBroader).Type == ""
	})
	w.Must(err)
}

func TestASharedPrefixIsToldToBothUsers(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(scenario.AccountID).IAM
	w.Must(aws.AddUser(fixtures.User{Name: "bob"}))
	w.Must(aws.AddUser(fixtures.User{Name: "bob-smith"}))
	bob, smith := scenario.Access("bob", "bob", scenario.PC01), scenario.Access("smith", "bob-smith", scenario.PC02)
	w.Create(scenario.Account(), bob)
	w.ExpectSentence(w.noticed(bob, v1alpha1.ConditionSessionPrefixOverlap).Message, "bob-smith", "OwnerTag")
	w.Create(smith)
	w.ExpectSentence(w.noticed(smith, v1alpha1.ConditionSessionPrefixOverlap).Message, "bob", "OwnerTag")
	scenario.Change(w.World, bob, func(a *v1alpha1.SessionAccess) { a.Spec.SessionScope = v1alpha1.ScopeOwnerTag })
	_, err := testenv.WaitFor(t.Context(), w.Client, bob, func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionSessionPrefixOverlap).Type == ""
	})
	w.Must(err)
}

func TestGuardrailsRefuseWithTheirOwnSentence(t *testing.T) {
	rule := func(change func(*v1alpha1.Guardrail)) *v1alpha1.AWSAccount {
		return scenario.Account(func(a *v1alpha1.AWSAccount) {
			g := v1alpha1.Guardrail{Name: "team-rule", NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}}
			change(&g)
			a.Spec.Guardrails = []v1alpha1.Guardrail{g}
		})
	}
	for name, c := range map[string]struct {
		main   *v1alpha1.AWSAccount
		says   string
		repair func(*v1alpha1.SessionAccessSpec)
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
			grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
			grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
			w.Create(c.main, grant)
			got := w.AwaitAccess(grant, v1alpha1.ReasonGuardrailViolated)
			w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "team-rule", c.says)
			if n := w.IAMWrites(); n != 0 {
				t.Errorf("%d writes for what a guardrail forbids", n)
			}
			scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { c.repair(&a.Spec) })
			w.AwaitAccess(grant, v1alpha1.ReasonGranted)
		})
	}
}

func TestRequiredTagsBindInstancesThatAreGivenByID(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.SetNodeTags(scenario.PC01, map[string]string{"Team": "a"})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{{Name: "own-nodes", NamespaceSelector: &metav1.LabelSelector{}, RequiredTags: map[string]string{"Team": "a"}}}
	})
	grant := scenario.Access("both", "user01", scenario.PC01, scenario.PC02)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, false, false, false)
	w.SetNodeTags(scenario.PC01, nil)
	w.ExpectAccess(false, false, false, false)
}

// clash is an account whose guardrail allows shells only on the nodes of team-a, an
// access that it allows, and one of team-b for the same user that conflicts with it.
func (w world) clash() (main *v1alpha1.AWSAccount, shell, forwarding *v1alpha1.SessionAccess) {
	w.T.Helper()
	w.Must(w.Namespace(w.T.Context(), "team-b", map[string]string{"team": "b"}))
	main = scenario.Account(func(a *v1alpha1.AWSAccount) {
		a.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll}
		a.Spec.Guardrails = []v1alpha1.Guardrail{{
			Name:              "shell-only",
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}},
			Documents:         []v1alpha1.NamePattern{v1alpha1.DefaultDocument},
		}}
	})
	shell, forwarding = scenario.Access("shell", "user01", scenario.PC01), scenario.Access("forwarding", "user01", scenario.PC02)
	forwarding.Namespace = "team-b"
	forwarding.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	return main, shell, forwarding
}

func TestTheNewerGrantIsRefusedWhereTheTwoWouldBreakAGuardrail(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, shell, forwarding := w.clash()
	w.Create(main, shell)
	w.AwaitAccess(shell, v1alpha1.ReasonGranted)
	w.Create(forwarding)
	got := w.AwaitAccess(forwarding, v1alpha1.ReasonGuardrailViolated)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "team-a/shell", "team-b/forwarding", "shell-only", "AWS-StartPortForwardingSession")
	w.ExpectAccess(true, false, false, false)
	scenario.Change(w.World, forwarding, func(a *v1alpha1.SessionAccess) { a.Spec.Principals[0].Name = "user02" })
	w.AwaitAccess(forwarding, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, forwarding)
	w.AwaitAccess(forwarding, v1alpha1.ReasonGranted)
}

func TestAGrantThatIsSupersededLosesItsOpenSessions(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Must(w.Namespace(t.Context(), "team-b", map[string]string{"team": "b"}))
	main := scenario.Account(func(a *v1alpha1.AWSAccount) {
		a.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll}
	})
	shell, forwarding := scenario.Access("shell", "user01", scenario.PC01), scenario.Access("forwarding", "user01", scenario.PC02)
	forwarding.Namespace = "team-b"
	forwarding.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	w.Create(main, shell)
	w.AwaitAccess(shell, v1alpha1.ReasonGranted)
	w.Create(forwarding)
	w.AwaitAccess(forwarding, v1alpha1.ReasonGranted)
	kept := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	lost, err := w.Emulator.OpenSession(scenario.UserARN("user01"), scenario.Region, scenario.PC02, "AWS-StartPortForwardingSession")
	w.Must(err)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{{
			Name:              "shell-only",
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}},
			Documents:         []v1alpha1.NamePattern{v1alpha1.DefaultDocument},
		}}
	})
	w.AwaitAccess(forwarding, v1alpha1.ReasonGuardrailViolated)
	w.AwaitSessionEnd(lost)
	w.ExpectSessionsOpen(kept)
}

func TestAUserAndItsGroupTogetherAreWidened(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	aws := w.Emulator.Account(scenario.AccountID).IAM
	w.Must(aws.AddGroup(fixtures.Group{Name: "operators"}))
	w.Must(aws.AddUser(fixtures.User{Name: "member", Groups: []string{"operators"}}))
	own, groups := scenario.Access("own", "member", scenario.PC01), scenario.Access("groups", "", scenario.PC02)
	groups.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalGroup, Name: "operators"}}
	groups.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	w.Create(scenario.Account(), own, groups)
	for _, grant := range []*v1alpha1.SessionAccess{own, groups} {
		w.ExpectSentence(w.noticed(grant, v1alpha1.ConditionEffectiveAccessBroader).Message, "team-a/own", "team-a/groups", "User/member")
	}
	w.Must(w.Client.Delete(t.Context(), groups))
	_, err := testenv.WaitFor(t.Context(), w.Client, own, func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionEffectiveAccessBroader).Type == ""
	})
	w.Must(err)
}

func TestNobodyIsToldOfARefusedGrantThatItWidens(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	impossible, other := scenario.Access("impossible", "user01", scenario.PC01), scenario.Access("other", "user01", scenario.PC02)
	impossible.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "a control character \a"}}}
	other.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	w.Create(scenario.Account(), impossible)
	w.AwaitAccess(impossible, v1alpha1.ReasonInvalidSpec)
	w.Create(other)
	got := w.AwaitAccess(other, v1alpha1.ReasonGranted)
	if c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionEffectiveAccessBroader); c.Type != "" {
		t.Errorf("there is nothing to widen: %s", c.Message)
	}
	widened := func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionEffectiveAccessBroader).Type != ""
	}
	if got := w.AwaitAccess(impossible, v1alpha1.ReasonInvalidSpec); widened(got) {
		t.Error("a refused grant says that it is widened")
	}
}
