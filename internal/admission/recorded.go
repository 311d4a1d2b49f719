package admission

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// stillAsked is the spec in the terms of the record, for an object whose AWSAccount
// is missing or not used: a narrowing of the spec takes effect even then. What only the
// account says stays as it was recorded. Nil without a grant on record.
func (in SessionAccess) stillAsked() *v1alpha1.ResolvedGrant {
	recorded := in.granted()
	if recorded == nil {
		return nil
	}
	spec := in.Object.Spec.DeepCopy()
	grant := grantOf(spec, &v1alpha1.AWSAccountSpec{
		AccountID: recorded.AccountID, Regions: recorded.Regions, DataChannelScope: recorded.DataChannelScope,
	})
	for _, t := range spec.Targets {
		if t.ActivationRef == nil {
			grant.Targets = append(grant.Targets, v1alpha1.ResolvedTarget{InstanceIDs: t.InstanceIDs, Tags: t.Tags})
			continue
		}
		grant.Targets = append(grant.Targets, in.recordedNodes(t.ActivationRef.Name)...)
	}
	for _, d := range spec.Documents {
		if d.Ref == nil {
			grant.Documents = append(grant.Documents, in.named(d.Name, grant.Regions)...)
			continue
		}
		grant.Documents = append(grant.Documents, in.recordedDocuments(d.Ref.Name)...)
	}
	return grant
}

// recordedNodes are the targets on record that belong to an activation. Its own
// condition decides nothing here: it waits for the same account. A record from a
// backup keeps all: objects come back in any order, with other UIDs.
func (in SessionAccess) recordedNodes(name string) []v1alpha1.ResolvedTarget {
	activation, ok := in.Activations[name]
	return slices.DeleteFunc(slices.Clone(in.granted().Targets), func(t v1alpha1.ResolvedTarget) bool {
		uid := t.Tags[v1alpha1.TagActivation]
		if in.restored() {
			return uid == ""
		}
		return !ok || uid != string(activation.UID) || in.unusable(activation, activation.AccountName()) != ""
	})
}

// recordedDocuments are the documents on record that belong to a SessionDocument,
// as recordedNodes are its nodes.
func (in SessionAccess) recordedDocuments(name string) []v1alpha1.ResolvedDocument {
	document, ok := in.Documents[name]
	return slices.DeleteFunc(slices.Clone(in.granted().Documents), func(d v1alpha1.ResolvedDocument) bool {
		if in.restored() {
			return false
		}
		return !ok || d.Name != document.DocumentName() || in.unusable(document, document.AccountName()) != ""
	})
}

// restored reports whether the record came from a backup.
func (in SessionAccess) restored() bool {
	record := in.Object.Status.Applied
	return record != nil && !v1alpha1.IsOwnRecord(record.UID, in.Object)
}
