package admission

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// resolveTargets puts the targets of a spec into a grant. It returns what cannot
// be resolved, each with what to do about it.
func (in SessionAccess) resolveTargets(spec *v1alpha1.SessionAccessSpec, grant *v1alpha1.ResolvedGrant) (unresolved []string) {
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
func (in SessionAccess) resolveActivation(name string, regions []v1alpha1.Region) ([]v1alpha1.ResolvedTarget, string) {
	activation, ok := in.Activations[name]
	switch {
	case !ok && in.Restoring && in.restored(): // The nodes are still those of the lost one.
		return in.replacedNodes(""), missing
	case !ok:
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
func (in SessionAccess) grantedNodes(target v1alpha1.ResolvedTarget) bool {
	granted := in.granted()
	return granted != nil && slices.ContainsFunc(granted.Targets, func(t v1alpha1.ResolvedTarget) bool {
		return t.HybridRegion == target.HybridRegion && t.Tags[v1alpha1.TagActivation] == target.Tags[v1alpha1.TagActivation]
	})
}

// replacedNodes are the targets of a restored record in a region, or with "" in any, whose
// activations had other UIDs: any of those that the spec names now may be one of them.
func (in SessionAccess) replacedNodes(region v1alpha1.Region) []v1alpha1.ResolvedTarget {
	if in.granted() == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(in.granted().Targets), func(t v1alpha1.ResolvedTarget) bool {
		uid := ActivationOf(&t)
		return uid == "" || region != "" && t.HybridRegion != region || slices.ContainsFunc(slices.Collect(maps.Values(in.Activations)), func(a *v1alpha1.HybridActivation) bool {
			return string(a.UID) == uid
		})
	})
}

// resolveDocuments puts the documents of a spec into a grant.
func (in SessionAccess) resolveDocuments(spec *v1alpha1.SessionAccessSpec, grant *v1alpha1.ResolvedGrant) (unresolved []string) {
	for _, document := range spec.Documents {
		var resolved []v1alpha1.ResolvedDocument
		if document.Ref == nil {
			if problem := in.unusableARN(document.Name, grant.Regions); problem != "" {
				unresolved = append(unresolved, fmt.Sprintf("Document %q %s", document.Name, problem))
				continue
			}
			resolved = in.named(document.Name, grant.Regions)
		} else {
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
func (in SessionAccess) resolveDocument(name string, regions []v1alpha1.Region) ([]v1alpha1.ResolvedDocument, string) {
	document, ok := in.Documents[name]
	if !ok {
		return nil, missing
	}
	if problem := in.unusable(document, document.AccountName()); problem != "" {
		return nil, problem
	}
	if ready(document, document.Status.UID, document.Status.Conditions) {
		return keyed(document, regions), ""
	}
	if granted := in.granted(); granted != nil && !IsRefused(document.Status.Conditions, v1alpha1.ReasonConflict) {
		// A later problem with the document is no reason to revoke what was granted, unless
		// the platform does not allow it, or another owner has it.
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
	notReady = "is not ready: its own condition Ready says why"
)

// unusable says why an object that exists cannot be used, whatever it was
// before.
func (in SessionAccess) unusable(obj metav1.Object, account string) string {
	switch {
	case !obj.GetDeletionTimestamp().IsZero():
		return "is being deleted: name another"
	case account != in.Object.AccountName():
		return fmt.Sprintf("is of AWSAccount %q: name one of %q", account, in.Object.AccountName())
	default:
		return ""
	}
}

// undecided is why what was granted before does not resolve a reference: the record
// came from a backup. "" where the record is the object's own.
func (in SessionAccess) undecided() string {
	if in.restored() {
		return notReady
	}
	return ""
}

// granted is the current grant, nil when there is none.
func (in SessionAccess) granted() *v1alpha1.ResolvedGrant {
	if in.Object.Status.Applied == nil {
		return nil
	}
	return in.Object.Status.Applied.Granted
}

// ready reports whether the current generation of an object is Ready. uid is that of the
// object whose status it is: a status from a backup proves nothing.
func ready(obj metav1.Object, uid string, conditions []metav1.Condition) bool {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return v1alpha1.IsOwnRecord(uid, obj) && c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == obj.GetGeneration()
}
