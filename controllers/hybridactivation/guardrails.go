package hybridactivation

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

const (
	// maxTags is how many tags AWS lets a resource have.
	maxTags = 50
	// ownTags is how many of them the operator sets itself.
	ownTags = 3
	// nothing is the effect of a violation.
	nothing = "No machine may register."
)

// tagText is what AWS takes for the key or value of a tag.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)

// guard checks an activation against the guardrails that match its namespace, and returns
// its tags together with those that they require. The first violation wins. Without a
// rule that covers activations there is none.
func guard(in accounts.Inputs, a *v1alpha1.HybridActivation) (map[string]string, *reconcile.Result) {
	tags, required := maps.Clone(a.Spec.Tags), map[string]string{}
	if tags == nil {
		tags = map[string]string{}
	}
	spoken := false
	for _, rule := range in.Rules() {
		if rule.Activations == nil {
			continue
		}
		spoken = true
		for _, check := range []func(*v1alpha1.ActivationRule, *v1alpha1.HybridActivationSpec) string{
			roleAllowed, registrationsAllowed, validityAllowed, tagKeysAllowed,
		} {
			if violation := check(rule.Activations, &a.Spec); violation != "" {
				return nil, violated(in, rule, violation)
			}
		}
		if violation := require(tags, required, rule.Activations.RequiredTags); violation != "" {
			return nil, violated(in, rule, violation)
		}
	}
	if !spoken {
		return nil, new(reconcile.Stalledf(v1alpha1.ReasonGuardrailViolated,
			"AWSAccount %q has no guardrail with activations that matches namespace %q, and without one a namespace may create none; add one that names the role %s. %s", in.Account.Name, in.NamespaceName, a.Spec.Role, nothing))
	}
	maps.Copy(tags, required)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		// The API server cannot afford to check them.
		if !tagText.MatchString(key) || !tagText.MatchString(tags[key]) {
			return nil, new(reconcile.Stalledf(v1alpha1.ReasonInvalidSpec,
				"Tag %s=%s cannot be set: AWS takes letters, digits, spaces and _.:/=+-@ only; correct spec.tags, or the guardrail that requires it. %s", key, tags[key], nothing))
		}
	}
	if n := len(tags) + ownTags; n > maxTags {
		return nil, new(reconcile.Stalledf(v1alpha1.ReasonInvalidSpec,
			"With the tags that guardrails require and %d of the operator the activation would have %d tags, and AWS takes %d; remove some from spec.tags. %s", ownTags, n, maxTags, nothing))
	}
	return tags, nil
}

func violated(in accounts.Inputs, rule *v1alpha1.Guardrail, violation string) *reconcile.Result {
	v := reconcile.Denied(in.Violated(rule, violation, nothing))
	return &v
}

func roleAllowed(rule *v1alpha1.ActivationRule, spec *v1alpha1.HybridActivationSpec) string {
	if !slices.ContainsFunc(rule.Roles, func(p v1alpha1.NamePattern) bool {
		return grants.Matches(strings.ToLower(string(p)), strings.ToLower(spec.Role))
	}) {
		return fmt.Sprintf("role %s is not among its activations.roles; name another role or extend the rule.", spec.Role)
	}
	return ""
}

func registrationsAllowed(rule *v1alpha1.ActivationRule, spec *v1alpha1.HybridActivationSpec) string {
	if rule.MaxRegistrations == nil || spec.RegistrationLimit == nil || *spec.RegistrationLimit <= *rule.MaxRegistrations {
		return ""
	}
	return fmt.Sprintf("at most %d machines of a HybridActivation may be registered; set a lower registrationLimit.", *rule.MaxRegistrations)
}

// crowded is the verdict on an object for which no activation is left or created,
// because as many machines of it are registered as a rule allows.
func crowded(in accounts.Inputs, rule *v1alpha1.Guardrail, registered int32) reconcile.Result {
	return reconcile.Denied(in.Violated(rule, fmt.Sprintf("at most %d machines of a HybridActivation may be registered, and %d are, over all of its activations; deregister some of the nodes, or raise maxRegistrations in the rule.", *rule.Activations.MaxRegistrations, registered), "No more machines may register."))
}

func validityAllowed(rule *v1alpha1.ActivationRule, spec *v1alpha1.HybridActivationSpec) string {
	validity := defaultValidity
	if spec.ValidFor != nil {
		validity = spec.ValidFor.Duration
	}
	if rule.MaxValidity == nil || validity <= rule.MaxValidity.Duration {
		return ""
	}
	return fmt.Sprintf("an activation may be valid for %s at most; set a shorter validFor.", reconcile.ShortDuration(rule.MaxValidity.Duration))
}

func tagKeysAllowed(rule *v1alpha1.ActivationRule, spec *v1alpha1.HybridActivationSpec) string {
	if rule.TagKeys == nil {
		return ""
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Tags)) {
		_, _, required := grants.FindTag(rule.RequiredTags, key)
		if !required && !slices.ContainsFunc(rule.TagKeys, func(p v1alpha1.NamePattern) bool { return matchesKey(string(p), key) }) {
			return fmt.Sprintf("tag key %s is not among its activations.tagKeys; remove that tag or extend the rule.", key)
		}
	}
	return ""
}

// literal keeps what path.Match would take for more than itself, or end a * at.
var literal = strings.NewReplacer("/", "\x00", `\`, `\\`, "[", `\[`, "?", `\?`)

// matchesKey matches a tag key against a pattern in which * stands for any
// characters. IAM ignores case.
func matchesKey(pattern, key string) bool {
	ok, err := path.Match(literal.Replace(strings.ToLower(pattern)), strings.ReplaceAll(strings.ToLower(key), "/", "\x00"))
	return err == nil && ok
}

// require unites the tags of several rules, which must contradict neither one
// another nor the spec's, nor take what the operator and AWS keep for
// themselves.
func require(declared, all, tags map[string]string) string {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if lower := strings.ToLower(key); strings.HasPrefix(lower, v1alpha1.TagPrefix) || strings.HasPrefix(lower, "aws:") {
			return fmt.Sprintf("its activations.requiredTags has the key %s, and keys that begin with aws: or %s are reserved; remove it from the rule.", key, v1alpha1.TagPrefix)
		}
		if spelling, value, ok := grants.FindTag(all, key); ok && (value != tags[key] || spelling != key) {
			return fmt.Sprintf("it requires tag %s=%s and another matching rule %s=%s; change one of the rules.", key, tags[key], spelling, value)
		}
		if spelling, value, ok := grants.FindTag(declared, key); ok && (value != tags[key] || spelling != key) {
			return fmt.Sprintf("it requires tag %s=%s and spec.tags has %s=%s; remove that tag from spec.tags, it is set anyway.", key, tags[key], spelling, value)
		}
		all[key] = tags[key]
	}
	return ""
}
