package declared

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/document"
	"github.com/ssm-access-operator/ssm-access-operator/internal/manifest"
)

// Resolved is what the operator would make of every object.
type Resolved struct {
	// Granted are the SessionAccesses that grant something, in order of namespace and name.
	Granted []Granted
	// Refusals are what it would refuse.
	Refusals []*manifest.Problem
	// Unknown are sentences about what only the cluster or AWS knows, and what that
	// changes.
	Unknown []string
}

// Granted is a SessionAccess with what it grants.
type Granted struct {
	Access *v1alpha1.SessionAccess
	Grant  *v1alpha1.ResolvedGrant
}

// Resolve decides on every object. keys are those of documents that exist in AWS already.
func (w *World) Resolve(keys admission.DocumentKeys) *Resolved {
	r := &Resolved{}
	for _, name := range slices.SortedFunc(maps.Keys(w.documents), byName) {
		w.resolveDocument(w.documents[name], r)
	}
	for _, name := range slices.SortedFunc(maps.Keys(w.activations), byName) {
		w.resolveActivation(w.activations[name], r)
	}
	for _, tier := range w.tiers {
		if denial := w.access(tier.AccountName(), "").Check(tier.Spec.Regions); denial != nil {
			r.Refusals = append(r.Refusals, w.refused(tier.UID, denial.Reason, denial.Message))
		}
	}
	slices.SortFunc(w.accesses, func(a, b *v1alpha1.SessionAccess) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	for _, access := range w.accesses {
		w.resolveAccess(access, keys, r)
	}
	r.Unknown = append(r.Unknown, w.unknownOf(r.Granted, keys)...)
	return r
}

func byName(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) }

// resolveDocument decides on a document, and makes one that is allowed ready.
func (w *World) resolveDocument(doc *v1alpha1.SessionDocument, r *Resolved) {
	in := w.access(doc.AccountName(), doc.Namespace)
	denial := in.Check(doc.Spec.Regions)
	if denial == nil {
		denial = in.CheckSessionDocument(doc)
	}
	if denial == nil {
		if _, err := document.Render(&doc.Spec); err != nil {
			denial = &admission.Denial{Reason: v1alpha1.ReasonInvalidSpec, Message: document.Explain(err)}
		}
	}
	if denial != nil {
		r.Refusals = append(r.Refusals, w.refused(doc.UID, denial.Reason, denial.Message))
		return
	}
	doc.Status.UID = string(doc.UID)
	ready(&doc.Status.Conditions)
	regions := doc.Spec.Regions
	if len(regions) == 0 {
		regions = in.Account.Spec.Regions
	}
	key := ""
	if inputs := doc.Spec.Inputs; inputs != nil && inputs.KMSKeyID != nil {
		key = *inputs.KMSKeyID
	}
	if key != "" && !isKeyARN(key) {
		r.Unknown = append(r.Unknown, fmt.Sprintf("the ARN of key %q of SessionDocument %s/%s: its policies lack kms:GenerateDataKey on the key", key, doc.Namespace, doc.Name))
		key = ""
	}
	for _, region := range regions {
		doc.Status.Regions = append(doc.Status.Regions, v1alpha1.DocumentRegion{Region: region, KeyARN: key})
	}
}

// isKeyARN reports whether a key is named by its ARN and not by that of an alias.
func isKeyARN(key string) bool {
	return strings.HasPrefix(key, "arn:") && strings.Contains(key, ":key/")
}

// resolveActivation decides on an activation, and makes one that is allowed ready.
func (w *World) resolveActivation(activation *v1alpha1.HybridActivation, r *Resolved) {
	in := w.access(activation.AccountName(), activation.Namespace)
	denial := in.Check([]v1alpha1.Region{activation.Spec.Region})
	if denial == nil {
		_, denial = in.CheckHybridActivation(activation)
	}
	if denial != nil {
		r.Refusals = append(r.Refusals, w.refused(activation.UID, denial.Reason, denial.Message))
		return
	}
	activation.Status.UID = string(activation.UID)
	ready(&activation.Status.Conditions)
}

func ready(conditions *[]metav1.Condition) {
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, ObservedGeneration: 1, Reason: v1alpha1.ReasonGranted,
	})
}

// resolveAccess decides on an access.
func (w *World) resolveAccess(access *v1alpha1.SessionAccess, keys admission.DocumentKeys, r *Resolved) {
	refs := admission.References{
		Documents: map[string]*v1alpha1.SessionDocument{}, Activations: map[string]*v1alpha1.HybridActivation{}, Keys: keys,
	}
	for _, d := range access.Spec.Documents {
		if d.Ref == nil {
			continue
		}
		if doc, ok := w.documents[types.NamespacedName{Namespace: access.Namespace, Name: d.Ref.Name}]; ok {
			refs.Documents[d.Ref.Name] = doc
		}
	}
	for _, t := range access.Spec.Targets {
		if t.ActivationRef == nil {
			continue
		}
		if activation, ok := w.activations[types.NamespacedName{Namespace: access.Namespace, Name: t.ActivationRef.Name}]; ok {
			refs.Activations[t.ActivationRef.Name] = activation
		}
	}
	decision := admission.SessionAccess{AccountAccess: w.access(access.AccountName(), access.Namespace), References: refs, Object: access}.Decide()
	if decision.Problem != nil {
		r.Refusals = append(r.Refusals, w.refused(access.UID, decision.Problem.Reason, decision.Problem.Message))
		return
	}
	r.Granted = append(r.Granted, Granted{access, decision.Grant})
}

// unknownOf says what the grants depend on that manifests do not say.
func (w *World) unknownOf(granted []Granted, keys admission.DocumentKeys) []string {
	unread, activations := map[string]bool{}, map[string]bool{}
	for _, g := range granted {
		for _, d := range g.Access.Spec.Documents {
			read := slices.ContainsFunc(keys.Read, func(k admission.DocumentKey) bool { return k.Document == d.Name })
			if d.Ref == nil && !read {
				unread[d.Name] = true
			}
		}
		for i := range g.Grant.Targets {
			if uid := admission.ActivationOf(&g.Grant.Targets[i]); uid != "" {
				activations[uid] = true
			}
		}
	}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(unread)) {
		unknown = append(unknown, fmt.Sprintf("whether document %q names a KMS key: if it does, the policies get kms:GenerateDataKey on it where a guardrail allows the key", name))
	}
	for _, uid := range slices.Sorted(maps.Keys(activations)) {
		unknown = append(unknown, fmt.Sprintf("the UID that the cluster gives %s: the policies name it as the value of tag %s", w.places[types.UID(uid)], v1alpha1.TagActivation))
	}
	return unknown
}
