package admission

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func accessWith(rules ...*v1alpha1.ActivationRule) AccountAccess {
	account := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "main"}}
	for i, rule := range rules {
		account.Spec.Guardrails = append(account.Spec.Guardrails, v1alpha1.Guardrail{
			Name: fmt.Sprint("rule", i), NamespaceSelector: &metav1.LabelSelector{}, Activations: rule,
		})
	}
	return AccountAccess{Account: account, NamespaceName: "team-a", Namespace: &corev1.Namespace{}}
}

func rule(change ...func(*v1alpha1.ActivationRule)) *v1alpha1.ActivationRule {
	r := &v1alpha1.ActivationRule{Roles: []v1alpha1.NamePattern{"SSM*"}}
	for _, c := range change {
		c(r)
	}
	return r
}

func tagKeys(keys ...v1alpha1.NamePattern) *v1alpha1.ActivationRule {
	return rule(func(r *v1alpha1.ActivationRule) { r.TagKeys = append([]v1alpha1.NamePattern{}, keys...) })
}

func requires(tags map[string]string) *v1alpha1.ActivationRule {
	return rule(func(r *v1alpha1.ActivationRule) { r.RequiredTags = tags })
}

func TestGuardrailsBoundActivations(t *testing.T) {
	few := rule(func(r *v1alpha1.ActivationRule) { r.MaxRegistrations = new(int32(10)) })
	short := rule(func(r *v1alpha1.ActivationRule) { r.MaxValidity = &metav1.Duration{Duration: 90 * time.Minute} })
	spec := func(change func(*v1alpha1.HybridActivationSpec)) v1alpha1.HybridActivationSpec {
		s := v1alpha1.HybridActivationSpec{Role: "SSMServiceRole", Tags: map[string]string{"Env": "stg"}, ValidFor: &metav1.Duration{Duration: time.Hour}}
		change(&s)
		return s
	}
	plain := spec(func(*v1alpha1.HybridActivationSpec) {})
	for name, c := range map[string]struct {
		rules []*v1alpha1.ActivationRule
		spec  v1alpha1.HybridActivationSpec
		tags  map[string]string
		says  []string
	}{
		"no rule":                {nil, plain, nil, []string{"no guardrail with activations", "main", "team-a", "SSMServiceRole"}},
		"a rule of other things": {[]*v1alpha1.ActivationRule{nil}, plain, nil, []string{"no guardrail with activations"}},
		"a role that matches":    {[]*v1alpha1.ActivationRule{rule()}, plain, plain.Tags, nil},
		"a role in other case":   {[]*v1alpha1.ActivationRule{rule()}, spec(func(s *v1alpha1.HybridActivationSpec) { s.Role = "ssmservicerole" }), plain.Tags, nil},
		"another role": {
			[]*v1alpha1.ActivationRule{rule()},
			spec(func(s *v1alpha1.HybridActivationSpec) { s.Role = "Admin" }), nil,
			[]string{"role Admin is not among", "rule0"},
		},
		"all rules must allow": {
			[]*v1alpha1.ActivationRule{rule(), rule(func(r *v1alpha1.ActivationRule) { r.Roles = []v1alpha1.NamePattern{"Other"} })},
			plain, nil,
			[]string{"rule1"},
		},
		"as many as allowed": {[]*v1alpha1.ActivationRule{few}, spec(func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(10)) }), plain.Tags, nil},
		"too many": {
			[]*v1alpha1.ActivationRule{few},
			spec(func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(11)) }), nil,
			[]string{"at most 10 machines"},
		},
		"as long as allowed": {[]*v1alpha1.ActivationRule{short}, plain, plain.Tags, nil},
		"too long": {
			[]*v1alpha1.ActivationRule{short},
			spec(func(s *v1alpha1.HybridActivationSpec) { s.ValidFor = nil }), nil,
			[]string{"1h30m at most"},
		},
		"a tag key that is allowed": {[]*v1alpha1.ActivationRule{tagKeys("e*")}, plain, plain.Tags, nil},
		"a tag key with a slash":    {[]*v1alpha1.ActivationRule{tagKeys("team*")}, spec(func(s *v1alpha1.HybridActivationSpec) { s.Tags = map[string]string{"team/a": "1"} }), map[string]string{"team/a": "1"}, nil},
		"a tag key that is not":     {[]*v1alpha1.ActivationRule{tagKeys("Site")}, plain, nil, []string{"tag key Env is not among"}},
		"no tag key is allowed":     {[]*v1alpha1.ActivationRule{tagKeys()}, plain, nil, []string{"tag key Env is not among"}},
		"a required key needs no more": {
			[]*v1alpha1.ActivationRule{rule(func(r *v1alpha1.ActivationRule) {
				r.TagKeys = []v1alpha1.NamePattern{}
				r.RequiredTags = map[string]string{"Env": "stg"}
			})}, plain, plain.Tags, nil,
		},
		"required tags are put on": {
			[]*v1alpha1.ActivationRule{requires(map[string]string{"Site": "a"}), requires(map[string]string{"Owner": "b"})},
			plain,
			map[string]string{"Env": "stg", "Site": "a", "Owner": "b"},
			nil,
		},
		"a required tag that is declared": {[]*v1alpha1.ActivationRule{requires(map[string]string{"Env": "stg"})}, plain, plain.Tags, nil},
		"a required tag with another value": {
			[]*v1alpha1.ActivationRule{requires(map[string]string{"Env": "prod"})},
			plain, nil,
			[]string{"requires tag Env=prod", "spec.tags has Env=stg"},
		},
		"a required tag in another case": {
			[]*v1alpha1.ActivationRule{requires(map[string]string{"ENV": "stg"})},
			plain, nil,
			[]string{"requires tag ENV=stg", "spec.tags has Env=stg"},
		},
		"rules that contradict": {
			[]*v1alpha1.ActivationRule{requires(map[string]string{"Site": "a"}), requires(map[string]string{"Site": "b"})},
			plain, nil,
			[]string{"another matching rule", "Site=a", "Site=b"},
		},
		"a tag that AWS refuses": {
			[]*v1alpha1.ActivationRule{rule()},
			spec(func(s *v1alpha1.HybridActivationSpec) { s.Tags = map[string]string{"Env;": "x"} }), nil,
			[]string{"Env;=x", "letters, digits"},
		},
		"a reserved tag": {[]*v1alpha1.ActivationRule{requires(map[string]string{"ssm-access.dev/activation": "x"})}, plain, nil, []string{"reserved"}},
		"more tags than AWS takes": {
			[]*v1alpha1.ActivationRule{requires(many("r", 20))},
			spec(func(s *v1alpha1.HybridActivationSpec) { s.Tags = many("s", 40) }), nil,
			[]string{"63 tags", "AWS takes 50"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tags, problem := accessWith(c.rules...).CheckHybridActivation(&v1alpha1.HybridActivation{Spec: c.spec})
			if (problem != nil) != (len(c.says) > 0) {
				t.Fatalf("got the denial %v", problem)
			}
			if problem == nil && !maps.Equal(tags, c.tags) {
				t.Errorf("got the tags %v, want %v", tags, c.tags)
			}
			for _, says := range c.says {
				if !strings.Contains(problem.Message, says) {
					t.Errorf("%q does not say %q", problem.Message, says)
				}
			}
		})
	}
}

func many(prefix string, n int) map[string]string {
	tags := map[string]string{}
	for i := range n {
		tags[fmt.Sprint(prefix, i)] = "x"
	}
	return tags
}

func TestTheLowestBoundCounts(t *testing.T) {
	in := accessWith(rule(), nil, rule(func(r *v1alpha1.ActivationRule) { r.MaxRegistrations = new(int32(7)) }),
		rule(func(r *v1alpha1.ActivationRule) { r.MaxRegistrations = new(int32(3)) }))
	if got := in.MaxRegistrations(); got == nil || got.Name != "rule3" {
		t.Errorf("got %v", got)
	}
	if got := accessWith(rule(), nil).MaxRegistrations(); got != nil {
		t.Errorf("without a bound got %v", got)
	}
}
