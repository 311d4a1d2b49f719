package sessionaccess

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
)

// inputs are everything that decides what a SessionAccess grants.
type inputs struct {
	access *v1alpha1.SessionAccess
	// account that accountRef names; nil when there is none.
	account *v1alpha1.AWSAccount
	// rival is the older AWSAccount that declares the same account id, whose rules
	// hold for it; empty when there is none.
	rival string
	// namespace of the access; nil when it is gone.
	namespace *corev1.Namespace
}

// judgement is what a SessionAccess grants, or why nothing new.
type judgement struct {
	// grant is what the spec comes to. Nil when refused.
	grant *v1alpha1.ResolvedGrant
	// waiting: the spec cannot be resolved in full yet. What was granted and is
	// still asked for stays; nothing is added.
	waiting bool
	// problem tells why; nil when everything is resolved.
	problem *lifecycle.Verdict
}

func refused(reason, format string, args ...any) judgement {
	return judgement{problem: &lifecycle.Verdict{Progress: lifecycle.Stuck, Reason: reason, Message: fmt.Sprintf(format, args...)}}
}

func waiting(reason, format string, args ...any) judgement {
	return judgement{waiting: true, problem: &lifecycle.Verdict{Progress: lifecycle.Working, Reason: reason, Message: fmt.Sprintf(format, args...)}}
}

// judge decides what a SessionAccess grants. The first violation wins: whether
// the namespace may use the account comes before anything the spec says.
func judge(in inputs) judgement {
	if in.account == nil {
		return waiting(v1alpha1.ReasonAccountNotFound,
			"No AWSAccount is named %q; create it, or correct accountRef in a new SessionAccess.", in.access.Spec.AccountRef.Name)
	}
	if in.rival != "" {
		return waiting(v1alpha1.ReasonConflict,
			"AWSAccount %q is not used: AWSAccount %q is older and declares the same account. Delete one of the two, or name the older one in a new SessionAccess.", in.account.Name, in.rival)
	}
	if refusal, ok := refuseNamespace(in.account, in.namespace, in.access.Namespace); ok {
		return refusal
	}
	if refusal, ok := refuseRegions(in.account, in.access); ok {
		return refusal
	}
	return resolveReferences(in)
}

// refuseNamespace checks that the account lets the namespace use it.
func refuseNamespace(account *v1alpha1.AWSAccount, namespace *corev1.Namespace, name string) (judgement, bool) {
	allowed := account.Spec.AllowedNamespaces
	switch allowed.From {
	case v1alpha1.NamespacesAll:
		return judgement{}, false
	case v1alpha1.NamespacesSelector:
		selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
		if err != nil {
			return refused(v1alpha1.ReasonNamespaceNotAllowed,
				"AWSAccount %q has an allowedNamespaces.selector that Kubernetes cannot read, so no namespace is allowed; correct the selector.", account.Name), true
		}
		if namespace != nil && selector.Matches(labels.Set(namespace.Labels)) {
			return judgement{}, false
		}
		return refused(v1alpha1.ReasonNamespaceNotAllowed,
			"AWSAccount %q does not allow namespace %q; label the namespace so that it matches %q, or widen allowedNamespaces.", account.Name, name, selector.String()), true
	default:
		return refused(v1alpha1.ReasonNamespaceNotAllowed,
			"AWSAccount %q allows no namespace; set allowedNamespaces.from to Selector or All to let %q use it.", account.Name, name), true
	}
}

// refuseRegions checks that the regions of the access are among the account's.
func refuseRegions(account *v1alpha1.AWSAccount, access *v1alpha1.SessionAccess) (judgement, bool) {
	for _, region := range access.Spec.Regions {
		if !slices.Contains(account.Spec.Regions, region) {
			return refused(v1alpha1.ReasonRegionNotAllowed,
				"Region %s is not among the regions of AWSAccount %q (%s); remove it here or add it there.", region, account.Name, joinRegions(account.Spec.Regions)), true
		}
	}
	return judgement{}, false
}

func joinRegions(regions []v1alpha1.Region) string {
	texts := make([]string, len(regions))
	for i, r := range regions {
		texts[i] = string(r)
	}
	return strings.Join(texts, ", ")
}

// resolveReferences turns the spec into a grant. With a reference that cannot be
// resolved the rest is returned with waiting set, so that a narrowing made in
// the same edit still takes effect.
func resolveReferences(in inputs) judgement {
	spec := in.access.Spec.DeepCopy()
	grant := &v1alpha1.ResolvedGrant{
		AccountID:        in.account.Spec.AccountID,
		Principals:       spec.Principals,
		Regions:          spec.Regions,
		Clients:          spec.Clients,
		SessionScope:     spec.SessionScope,
		DataChannelScope: in.account.Spec.DataChannelScope,
		NotBefore:        spec.NotBefore,
		NotAfter:         spec.NotAfter,
		RequireMFA:       spec.RequireMFA,
		SourceCIDRs:      spec.SourceCIDRs,
		OnRevoke:         spec.OnRevoke,
	}
	if len(grant.Regions) == 0 {
		grant.Regions = slices.Clone(in.account.Spec.Regions)
	}
	var unresolved []string
	for _, target := range spec.Targets {
		if target.ActivationRef != nil {
			unresolved = append(unresolved, fmt.Sprintf("HybridActivation %q", target.ActivationRef.Name))
			continue
		}
		grant.Targets = append(grant.Targets, v1alpha1.ResolvedTarget{InstanceIDs: target.InstanceIDs, Tags: target.Tags})
	}
	for _, document := range spec.Documents {
		if document.Ref != nil {
			unresolved = append(unresolved, fmt.Sprintf("SessionDocument %q", document.Ref.Name))
			continue
		}
		grant.Documents = append(grant.Documents, v1alpha1.ResolvedDocument{Name: document.Name})
	}
	if verdict := guard(in, grant); verdict != nil {
		return judgement{problem: verdict}
	}
	if len(unresolved) > 0 {
		j := waiting(v1alpha1.ReasonReferenceNotResolved,
			"%s cannot be resolved yet, so nothing new is granted; what was granted before and is still declared stays. Name instances, tags or documents directly to go on without it.", strings.Join(unresolved, ", "))
		j.grant = grant
		return j
	}
	return judgement{grant: grant}
}
