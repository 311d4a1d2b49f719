package sessionaccess

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// references are the objects that a spec names, by name, all of the namespace
// of the SessionAccess: those of another cannot be meant. One that does not
// exist is left out.
type references struct {
	documents   map[string]*v1alpha1.SessionDocument
	activations map[string]*v1alpha1.HybridActivation
}

// gatherReferences reads what the spec names.
func (r *Reconciler) gatherReferences(ctx context.Context, access *v1alpha1.SessionAccess) (references, error) {
	refs := references{documents: map[string]*v1alpha1.SessionDocument{}, activations: map[string]*v1alpha1.HybridActivation{}}
	for _, d := range access.Spec.Documents {
		if d.Ref != nil {
			if err := gather(ctx, r.Client, access.Namespace, d.Ref.Name, refs.documents, &v1alpha1.SessionDocument{}); err != nil {
				return refs, err
			}
		}
	}
	for _, t := range access.Spec.Targets {
		if t.ActivationRef != nil {
			if err := gather(ctx, r.Client, access.Namespace, t.ActivationRef.Name, refs.activations, &v1alpha1.HybridActivation{}); err != nil {
				return refs, err
			}
		}
	}
	return refs, nil
}

func gather[T client.Object](ctx context.Context, c client.Reader, namespace, name string, into map[string]T, empty T) error {
	switch err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, empty); {
	case err == nil:
		into[name] = empty
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("read %T %s/%s, which a SessionAccess names: %w", empty, namespace, name, err)
	}
	return nil
}

// resolveTargets puts the targets of a spec into a grant. It returns what cannot
// be resolved, each with what to do about it.
func (in inputs) resolveTargets(spec *v1alpha1.SessionAccessSpec, grant *v1alpha1.ResolvedGrant) (unresolved []string) {
	for _, target := range spec.Targets {
		if target.ActivationRef == nil {
			grant.Targets = append(grant.Targets, v1alpha1.ResolvedTarget{InstanceIDs: target.InstanceIDs, Tags: target.Tags})
			continue
		}
		resolved, problem := in.resolveActivation(target.ActivationRef.Name, grant.Regions)
		if problem != "" {
			unresolved = append(unresolved, fmt.Sprintf("HybridActivation %q %s", target.ActivationRef.Name, problem))
		}
		for _, t := range resolved {
			if !slices.ContainsFunc(grant.Targets, func(other v1alpha1.ResolvedTarget) bool { return equality.Semantic.DeepEqual(t, other) }) {
				grant.Targets = append(grant.Targets, t)
			}
		}
	}
	return unresolved
}

// resolveActivation selects the nodes of an activation by the tag that it gives them, so
// that nodes may register and leave at any time. What stays although it is not resolved
// is returned with the problem.
func (in inputs) resolveActivation(name string, regions []v1alpha1.Region) ([]v1alpha1.ResolvedTarget, string) {
	activation, ok := in.activations[name]
	if !ok {
		return nil, missing
	}
	target := v1alpha1.ResolvedTarget{
		Tags: map[string]string{v1alpha1.TagActivation: string(activation.UID)}, HybridRegion: activation.Spec.Region,
	}
	switch problem := in.unusable(activation, activation.AccountName()); {
	case problem != "":
		return nil, problem
	case !slices.Contains(regions, activation.Spec.Region):
		return nil, fmt.Sprintf("is in %s, which regions leaves out: add it there", activation.Spec.Region)
	case ready(activation, activation.Status.UID, activation.Status.Conditions):
		return []v1alpha1.ResolvedTarget{target}, ""
	case in.grantedNodes(target):
		return []v1alpha1.ResolvedTarget{target}, in.undecided()
	case in.restored(): // The activation was restored, too, and its nodes do not have its tag yet.
		return in.replacedNodes(target.HybridRegion), notReady
	default:
		return nil, notReady
	}
}

// grantedNodes reports whether the nodes of an activation are granted already: a later
// problem with the activation is no reason to revoke them. Guardrails may have added tags.
func (in inputs) grantedNodes(target v1alpha1.ResolvedTarget) bool {
	granted := in.granted()
	return granted != nil && slices.ContainsFunc(granted.Targets, func(t v1alpha1.ResolvedTarget) bool {
		return t.HybridRegion == target.HybridRegion && t.Tags[v1alpha1.TagActivation] == target.Tags[v1alpha1.TagActivation]
	})
}

// replacedNodes are the targets of a restored record in a region whose activations had
// other UIDs: any of those that the spec names now may be one of them.
func (in inputs) replacedNodes(region v1alpha1.Region) []v1alpha1.ResolvedTarget {
	if in.granted() == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(in.granted().Targets), func(t v1alpha1.ResolvedTarget) bool {
		uid := grants.ActivationOf(&t)
		return uid == "" || t.HybridRegion != region || slices.ContainsFunc(slices.Collect(maps.Values(in.activations)), func(a *v1alpha1.HybridActivation) bool {
			return string(a.UID) == uid
		})
	})
}

// resolveDocuments puts the documents of a spec into a grant.
func (in inputs) resolveDocuments(spec *v1alpha1.SessionAccessSpec, grant *v1alpha1.ResolvedGrant) (unresolved []string) {
	for _, document := range spec.Documents {
		resolved := []v1alpha1.ResolvedDocument{{Name: document.Name}}
		if document.Ref != nil {
			var problem string
			if resolved, problem = in.resolveDocument(document.Ref.Name, grant.Regions); problem != "" {
				unresolved = append(unresolved, fmt.Sprintf("SessionDocument %q %s", document.Ref.Name, problem))
			}
		}
		for _, d := range resolved {
			if !slices.Contains(grant.Documents, d) {
				grant.Documents = append(grant.Documents, d)
			}
		}
	}
	return unresolved
}

// resolveDocument is a document by its name in AWS, once for each key that its
// sessions are encrypted with. What stays although it is not resolved is returned
// with the problem.
func (in inputs) resolveDocument(name string, regions []v1alpha1.Region) ([]v1alpha1.ResolvedDocument, string) {
	document, ok := in.documents[name]
	if !ok {
		return nil, missing
	}
	if problem := in.unusable(document, document.AccountName()); problem != "" {
		return nil, problem
	}
	if ready(document, document.Status.UID, document.Status.Conditions) {
		return keyed(document, regions), ""
	}
	if granted := in.granted(); granted != nil && !refused(document.Status.Conditions) {
		// A later problem with the document is no reason to revoke what was granted.
		same := slices.DeleteFunc(slices.Clone(granted.Documents), func(d v1alpha1.ResolvedDocument) bool {
			return d.Name != document.DocumentName()
		})
		if len(same) > 0 {
			return same, in.undecided()
		}
	}
	return nil, notReady
}

// keyed lists a document once for each key that it has in the regions.
func keyed(document *v1alpha1.SessionDocument, regions []v1alpha1.Region) []v1alpha1.ResolvedDocument {
	keys := map[string]bool{}
	for _, r := range document.Status.Regions {
		if slices.Contains(regions, r.Region) {
			keys[r.KeyARN] = true
		}
	}
	if len(keys) > 1 {
		delete(keys, "")
	}
	var documents []v1alpha1.ResolvedDocument
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		documents = append(documents, v1alpha1.ResolvedDocument{Name: document.DocumentName(), KMSKeyARN: key})
	}
	if len(documents) == 0 {
		documents = []v1alpha1.ResolvedDocument{{Name: document.DocumentName()}}
	}
	return documents
}

// What keeps a reference from being resolved, after the object's name.
const (
	missing  = "does not exist: create it, or correct the name"
	notReady = "is not ready: its own condition Ready tells why"
)

// unusable says why an object that exists cannot be used, whatever it was
// before.
func (in inputs) unusable(obj client.Object, account string) string {
	switch {
	case !obj.GetDeletionTimestamp().IsZero():
		return "is being deleted: name another"
	case account != in.access.AccountName():
		return fmt.Sprintf("is of AWSAccount %q: name one of %q", account, in.access.AccountName())
	default:
		return ""
	}
}

// undecided is why what was granted before does not resolve a reference: the record
// came from a backup. "" where the record is the object's own.
func (in inputs) undecided() string {
	if in.restored() {
		return notReady
	}
	return ""
}

// granted is the current grant, nil when there is none.
func (in inputs) granted() *v1alpha1.ResolvedGrant {
	if in.access.Status.Applied == nil {
		return nil
	}
	return in.access.Status.Applied.Granted
}

// ready reports whether the current generation of an object is Ready. uid is that of the
// object whose status it is: a status from a backup proves nothing.
func ready(obj client.Object, uid string, conditions []metav1.Condition) bool {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return reconcile.Own(uid, obj) && c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == obj.GetGeneration()
}

// refused reports whether the platform does not allow an object, or another owner has it:
// what was granted on it is revoked.
func refused(conditions []metav1.Condition) bool {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return c != nil && slices.Contains([]string{
		v1alpha1.ReasonGuardrailViolated, v1alpha1.ReasonNamespaceNotAllowed, v1alpha1.ReasonRegionNotAllowed, v1alpha1.ReasonConflict,
	}, c.Reason)
}
