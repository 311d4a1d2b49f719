package objectcache

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Transform makes the transform of the manager's cache, which drops what no
// decision reads. It changes nothing of an object that it was applied to before:
// others may read that already. brief says what a stub of a SessionAccess keeps
// for kubectl get.
//
// A new reader of the cache, an index or a predicate that looks at a spec needs
// the field among what stubs keep, or reads the object whole.
func Transform(brief func(*v1alpha1.SessionAccessSpec) Brief) cache.TransformFunc {
	return func(in any) (any, error) {
		obj, ok := in.(client.Object)
		if !ok || Is(obj) {
			return in, nil // An object that is gone, or that was trimmed.
		}
		switch obj := obj.(type) {
		case *v1alpha1.SessionAccess:
			trimMetadata(obj, v1alpha1.AnnotationForceDelete, v1alpha1.AnnotationAbandon)
			trimAccess(obj, brief)
		case *v1alpha1.SessionDocument:
			trimMetadata(obj)
			trimDocument(obj)
		case *v1alpha1.HybridActivation:
			trimMetadata(obj)
			trimActivation(obj)
		case *corev1.Namespace:
			trimCommon(obj)
			trimNamespace(obj)
		case *v1alpha1.AWSAccount, *v1alpha1.AccountTier:
			// They are the platform's, and few; their labels select the manager.
			trimCommon(obj, v1alpha1.AnnotationConfirmRemoval)
		case v1alpha1.Object:
			trimMetadata(obj)
		default:
			trimCommon(obj)
		}
		return in, nil
	}
}

func trimNamespace(n *corev1.Namespace) {
	if len(n.Spec.Finalizers) > 0 || n.Status.Phase != "" {
		n.Spec, n.Status = corev1.NamespaceSpec{}, corev1.NamespaceStatus{}
	}
}

// trimAccess makes a SessionAccess without a record a stub. Of its targets and
// documents those by reference stay, by which events of others find it, and one
// hybrid node for all of them, for which an AccountTier is needed. Principals stay
// until the spec is judged: until then nothing of them is an orphan.
func trimAccess(a *v1alpha1.SessionAccess, brief func(*v1alpha1.SessionAccessSpec) Brief) {
	if a.Spec.Reason != "" {
		a.Spec.Reason = ""
	}
	if a.HasRecord() {
		return
	}
	setBrief(a, brief(&a.Spec))
	trimFinalizers(a)
	a.Spec.Targets = keptTargets(a.Spec.Targets)
	a.Spec.Documents = keptDocuments(a.Spec.Documents)
	a.Spec.SourceCIDRs = nil
	if v1alpha1.Decided(a.Status.Conditions, a.Generation) {
		a.Spec.Principals = nil
	}
}

// trimFinalizers keeps the operator's finalizer of a stub, so that its deletion completes. A
// user who may create an object may give it any.
func trimFinalizers(obj client.Object) {
	if all := obj.GetFinalizers(); slices.Contains(all, v1alpha1.Finalizer) {
		obj.SetFinalizers([]string{v1alpha1.Finalizer})
	} else if len(all) > 0 {
		obj.SetFinalizers(nil)
	}
}

func keptTargets(targets []v1alpha1.Target) []v1alpha1.Target {
	var kept []v1alpha1.Target
	var hybrid v1alpha1.InstanceID
	for _, t := range targets {
		known := func(k v1alpha1.Target) bool { return k.ActivationRef.Name == t.ActivationRef.Name }
		if t.ActivationRef != nil && !slices.ContainsFunc(kept, known) {
			kept = append(kept, v1alpha1.Target{ActivationRef: t.ActivationRef})
		}
		for _, id := range t.InstanceIDs {
			if hybrid == "" && strings.HasPrefix(string(id), hybridNodePrefix) {
				hybrid = id
			}
		}
	}
	if hybrid != "" {
		kept = append(kept, v1alpha1.Target{InstanceIDs: []v1alpha1.InstanceID{hybrid}})
	}
	return kept
}

// hybridNodePrefix begins the ids of nodes that are no EC2 instances.
const hybridNodePrefix = "mi-"

func keptDocuments(documents []v1alpha1.DocumentReference) []v1alpha1.DocumentReference {
	var kept []v1alpha1.DocumentReference
	for _, d := range documents {
		known := func(k v1alpha1.DocumentReference) bool { return k.Ref.Name == d.Ref.Name }
		if d.Ref != nil && !slices.ContainsFunc(kept, known) {
			kept = append(kept, v1alpha1.DocumentReference{Ref: d.Ref})
		}
	}
	return kept
}

// trimDocument makes a SessionDocument without a record a stub. Its name and its
// regions stay: they claim a document.
func trimDocument(d *v1alpha1.SessionDocument) {
	if d.HasRecord() {
		return
	}
	setBrief(d, Brief{})
	trimFinalizers(d)
	d.Spec.Description, d.Spec.Inputs, d.Spec.Parameters, d.Spec.Properties = "", nil, nil, nil
	d.Spec.Tags, d.Spec.SharedWith = nil, nil
}

// trimActivation makes a HybridActivation without a record a stub.
func trimActivation(a *v1alpha1.HybridActivation) {
	if a.HasRecord() {
		return
	}
	setBrief(a, Brief{})
	trimFinalizers(a)
	a.Spec.Description, a.Spec.DefaultInstanceName, a.Spec.Tags = "", "", nil
}
