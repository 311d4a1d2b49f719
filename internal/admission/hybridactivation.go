package admission

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

const (
	// maxTags is how many tags AWS lets a resource have.
	maxTags = 50
	// ownTags is how many of them the operator sets itself.
	ownTags = 3
	// DefaultValidity is how long an activation is valid where the API server's default was
	// not applied.
	DefaultValidity = 24 * time.Hour
	// nothingRegistered is the effect of a violation.
	nothingRegistered = "No machine may register."
)

// tagText is what AWS takes for the key or value of a tag.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)

// CheckHybridActivation checks an activation against the guardrails that match its
// namespace, and returns its tags together with those that they require. All violations are
// named. Without a rule that covers activations there is none. The account has to
// exist.
func (in AccountAccess) CheckHybridActivation(a *v1alpha1.HybridActivation) (map[string]string, *Denial) {
	tags, required := maps.Clone(a.Spec.Tags), map[string]string{}
	if tags == nil {
		tags = map[string]string{}
	}
	spoken, found := false, violations{in: in}
	for _, rule := range in.Rules() {
		if rule.Activations == nil {
			continue
		}
		spoken = true
		for _, check := range []func(*v1alpha1.ActivationRule, *v1alpha1.HybridActivationSpec) string{
			roleAllowed, registrationsAllowed, activationValidityAllowed, tagKeysAllowed,
		} {
			found.add(rule, check(rule.Activations, &a.Spec))
		}
		found.add(rule, requireTags(tags, required, rule.Activations.RequiredTags))
	}
	if denial := found.denial(nothingRegistered); denial != nil {
		return nil, denial
	}
	if !spoken {
		return nil, refuse(v1alpha1.ReasonGuardrailViolated,
			"AWSAccount %q has no guardrail with activations that matches namespace %q, and without one a namespace may create none; add one that names the role %s. %s", in.Account.Name, in.NamespaceName, a.Spec.Role, nothingRegistered)
	}
	maps.Copy(tags, required)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		// The API server cannot afford to check them.
		if !tagText.MatchString(key) || !tagText.MatchString(tags[key]) {
			return nil, refuse(v1alpha1.ReasonInvalidSpec,
				"Tag %s=%s cannot be set: AWS takes letters, digits, spaces and _.:/=+-@ only; correct spec.tags, or the guardrail that requires it. %s", key, tags[key], nothingRegistered)
		}
	}
	if n := len(tags) + ownTags; n > maxTags {
		return nil, refuse(v1alpha1.ReasonInvalidSpec,
			"With the tags that guardrails require and %d of the operator the activation would have %d tags, and AWS takes %d; remove some from spec.tags. %s", ownTags, n, maxTags, nothingRegistered)
	}
	return tags, nil
}

// roleAllowed compares names without path: in an account a name is unique whatever its
// path.
func roleAllowed(rule *v1alpha1.ActivationRule, spec *v1alpha1.HybridActivationSpec) string {
	if !slices.ContainsFunc(rule.Roles, func(p v1alpha1.NamePattern) bool {
		return Matches(strings.ToLower(string(p)), strings.ToLower(path.Base(spec.Role)))
	}) {
		return fmt.Sprintf("role %s is not among its activations.roles; name another role or extend the rule, which allows %s.", spec.Role, some(texts(rule.Roles)))
	}
	return ""
}

func registrationsAllowed(rule *v1alpha1.ActivationRule, spec *v1alpha1.HybridActivationSpec) string {
	if rule.MaxRegistrations == nil || spec.RegistrationLimit == nil || *spec.RegistrationLimit <= *rule.MaxRegistrations {
		return ""
	}
	return fmt.Sprintf("at most %d machines of a HybridActivation may be registered; set a lower registrationLimit.", *rule.MaxRegistrations)
}

// MaxRegistrations is the guardrail with the lowest maxRegistrations of those that match;
// nil when none has one.
func (in AccountAccess) MaxRegistrations() *v1alpha1.Guardrail {
	var lowest *v1alpha1.Guardrail
	for _, rule := range in.Rules() {
		if rule.Activations == nil || rule.Activations.MaxRegistrations == nil {
			continue
		}
		if lowest == nil || *rule.Activations.MaxRegistrations < *lowest.Activations.MaxRegistrations {
			lowest = rule
		}
	}
	return lowest
}

// TooManyRegistered is the denial of an object for which no activation is left or created,
// because as many machines of it are registered as a rule allows.
func (in AccountAccess) TooManyRegistered(rule *v1alpha1.Guardrail, registered int32) *Denial {
	return in.Violated(rule, fmt.Sprintf("at most %d machines of a HybridActivation may be registered, and %d are, over all of its activations; deregister some of the nodes, or raise maxRegistrations in the rule.", *rule.Activations.MaxRegistrations, registered), "No more machines may register.")
}

// Uncountable is the denial of an object for which no activation is created, because it
// cannot be found out whether a node, and some others, are its own.
func (in AccountAccess) Uncountable(rule *v1alpha1.Guardrail, node string, others int) *Denial {
	return in.Violated(rule, fmt.Sprintf("at most %d machines of a HybridActivation may be registered, and they cannot be counted: node %s and %d more registered with a HybridActivation that is gone, and lack tag %s, which says whether it had this name; deregister them, or set that tag to %q if they are not of this HybridActivation.",
		*rule.Activations.MaxRegistrations, node, others, v1alpha1.TagObject, v1alpha1.TagReleased), "No more machines may register.")
}

func activationValidityAllowed(rule *v1alpha1.ActivationRule, spec *v1alpha1.HybridActivationSpec) string {
	validity := DefaultValidity
	if spec.ValidFor != nil {
		validity = spec.ValidFor.Duration
	}
	if rule.MaxValidity == nil || validity <= rule.MaxValidity.Duration {
		return ""
	}
	return fmt.Sprintf("an activation may be valid for %s at most; set a shorter validFor.", ShortDuration(rule.MaxValidity.Duration))
}

func tagKeysAllowed(rule *v1alpha1.ActivationRule, spec *v1alpha1.HybridActivationSpec) string {
	if rule.TagKeys == nil {
		return ""
	}
	var others []string
	for _, key := range slices.Sorted(maps.Keys(spec.Tags)) {
		_, _, required := FindTag(rule.RequiredTags, key)
		if !required && !slices.ContainsFunc(rule.TagKeys, func(p v1alpha1.NamePattern) bool {
			return matchesText(strings.ToLower(string(p)), strings.ToLower(key))
		}) {
			others = append(others, "tag key "+key)
		}
	}
	allowed := some(texts(rule.TagKeys))
	if allowed == "" {
		allowed = "none"
	}
	return notAmong(others, "tag", "activations.tagKeys", []string{allowed})
}

// requireTags unites the tags of several rules, which must contradict neither one
// another nor the spec's, nor take what the operator and AWS keep for
// themselves.
func requireTags(declared, all, tags map[string]string) string {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if lower := strings.ToLower(key); strings.HasPrefix(lower, v1alpha1.TagPrefix) || strings.HasPrefix(lower, "aws:") {
			return fmt.Sprintf("its activations.requiredTags has the key %s, and keys that begin with aws: or %s are reserved; remove it from the rule.", key, v1alpha1.TagPrefix)
		}
		if spelling, value, ok := FindTag(all, key); ok && (value != tags[key] || spelling != key) {
			return fmt.Sprintf("it requires tag %s=%s and another matching rule %s=%s; change one of the rules.", key, tags[key], spelling, value)
		}
		if spelling, value, ok := FindTag(declared, key); ok && (value != tags[key] || spelling != key) {
			return fmt.Sprintf("it requires tag %s=%s and spec.tags has %s=%s; remove that tag from spec.tags, it is set anyway.", key, tags[key], spelling, value)
		}
		all[key] = tags[key]
	}
	return ""
}
