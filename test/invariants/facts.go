package invariants

import (
	"path"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// labelled says how the namespaces of a harness are labelled.
var labelled = map[string]labels.Set{Namespace: {"proof": "allowed"}, Neighbour: {"proof": "allowed"}, OtherNamespace: {"proof": "other"}}

// take reads from an AWSAccount who may use it and what bounds them.
func (f *Facts) take(s *v1alpha1.AWSAccountSpec) {
	f.Observe, f.Rules, f.Regions, f.Allowed = s.Mode == v1alpha1.ModeObserve, s.Guardrails, s.Regions, nil
	f.Grant = s.RecreatedPrincipals == v1alpha1.RecreatedGrant
	for namespace := range labelled {
		if s.AllowedNamespaces.From == v1alpha1.NamespacesAll ||
			s.AllowedNamespaces.From == v1alpha1.NamespacesSelector && selects(s.AllowedNamespaces.Selector, namespace) {
			f.Allowed = append(f.Allowed, namespace)
		}
	}
}

func selects(s *metav1.LabelSelector, namespace string) bool {
	selector, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(labelled[namespace])
}

// rules are the guardrails that bound a namespace.
func (f Facts) rules(namespace string) []v1alpha1.Guardrail {
	return slices.DeleteFunc(slices.Clone(f.Rules), func(r v1alpha1.Guardrail) bool { return !selects(r.NamespaceSelector, namespace) })
}

// violates reports whether a guardrail does not allow a spec.
func (f Facts) violates(namespace string, s *v1alpha1.SessionAccessSpec) bool {
	return slices.ContainsFunc(f.rules(namespace), func(r v1alpha1.Guardrail) bool {
		return r.RequireMFA && !s.RequireMFA || r.ForbidLeaveSessions && s.OnRevoke == v1alpha1.RevokeLeaveSessions ||
			r.MaxValidity != nil && s.NotAfter == nil ||
			len(r.Principals) > 0 && slices.ContainsFunc(s.Principals, func(p v1alpha1.Principal) bool { return !namesAny(r.Principals, p) }) ||
			len(r.Documents) > 0 && slices.ContainsFunc(documentsOf(s), func(name string) bool { return !matchesAny(r.Documents, name) }) ||
			slices.ContainsFunc(s.Targets, func(t v1alpha1.Target) bool {
				return contradicts(t.Tags, r.RequiredTags) || f.excludes(r.ExcludedNodes, namespace, t)
			})
	})
}

func namesAny(patterns []v1alpha1.PrincipalPattern, p v1alpha1.Principal) bool {
	return slices.ContainsFunc(patterns, func(pattern v1alpha1.PrincipalPattern) bool {
		return pattern.Kind == p.Kind && matches(strings.ToLower(string(pattern.Name)), strings.ToLower(p.Name))
	})
}

func matchesAny(patterns []v1alpha1.NamePattern, name string) bool {
	return slices.ContainsFunc(patterns, func(p v1alpha1.NamePattern) bool { return matches(string(p), name) })
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// contradicts reports whether tags ask for another value than is required.
func contradicts(tags, required map[string]string) bool {
	for key, value := range required {
		for k, v := range tags {
			if strings.EqualFold(k, key) && v != value {
				return true
			}
		}
	}
	return false
}

// sound reports whether AWS must get a SessionDocument as it is declared. For any
// other document, every decision is right.
func (f Facts) sound(d *v1alpha1.SessionDocument) bool {
	s := &d.Spec
	plain := len(s.SharedWith) == 0 && !s.Adopt && s.Promotion != v1alpha1.PromotionManual && f.within(s.Regions)
	if i := s.Inputs; i != nil {
		plain = plain && ptr.Deref(i.S3BucketName, "") == "" && ptr.Deref(i.CloudWatchLogGroupName, "") == "" && ptr.Deref(i.KMSKeyID, "") == ""
	}
	return plain && !f.Observe && slices.Contains(f.Allowed, d.Namespace) && !slices.ContainsFunc(f.rules(d.Namespace), func(r v1alpha1.Guardrail) bool {
		return r.SessionDocuments != nil && !strings.HasPrefix(d.DocumentName(), r.SessionDocuments.NamePrefix)
	})
}

// activates reports whether machines may register with a HybridActivation, without
// using all of it up.
func (f Facts) activates(a *v1alpha1.HybridActivation) bool {
	s := &a.Spec
	return !f.Observe && slices.Contains(f.Allowed, a.Namespace) && f.within([]v1alpha1.Region{s.Region}) && s.Role == nodeRole &&
		limitOf(a) > 1 && !f.bounds(a) && !slices.ContainsFunc(f.rules(a.Namespace), func(r v1alpha1.Guardrail) bool { return r.Activations != nil && refuses(r.Activations, s) })
}

// bounds reports whether a rule bounds how many machines of a HybridActivation may be
// registered. Those that are decide then how many more its activation lets in.
func (f Facts) bounds(a *v1alpha1.HybridActivation) bool {
	return slices.ContainsFunc(f.rules(a.Namespace), func(r v1alpha1.Guardrail) bool { return r.Activations != nil && r.Activations.MaxRegistrations != nil })
}

func refuses(r *v1alpha1.ActivationRule, s *v1alpha1.HybridActivationSpec) bool {
	if r.MaxRegistrations != nil && s.RegistrationLimit != nil && *s.RegistrationLimit > *r.MaxRegistrations ||
		r.MaxValidity != nil && s.ValidFor != nil && s.ValidFor.Duration > r.MaxValidity.Duration || contradicts(s.Tags, r.RequiredTags) || !matchesAny(r.Roles, s.Role) {
		return true
	}
	for key := range s.Tags {
		if len(r.TagKeys) > 0 && !matchesAny(r.TagKeys, key) {
			return true
		}
	}
	return false
}

func (f Facts) within(regions []v1alpha1.Region) bool {
	return !slices.ContainsFunc(regions, func(r v1alpha1.Region) bool { return !slices.Contains(f.Regions, r) })
}

// limitOf is how many machines may register; one where it is left out.
func limitOf(a *v1alpha1.HybridActivation) int32 {
	if a.Spec.RegistrationLimit == nil {
		return 1
	}
	return *a.Spec.RegistrationLimit
}
