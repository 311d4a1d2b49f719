package sessiondocument

import (
	"context"
	"fmt"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/internal/document"
)

// claim decides whether the operator may write to a document that exists. It records the
// state of an adopted document before the first write to it.
func (r *Reconciler) claim(ctx context.Context, rs *regionScope) (*regionResult, error) {
	if rs.latest.Type != ssm.SessionDocumentType {
		return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonConflict,
			fmt.Sprintf("Document %q in %s is of type %s, and not a session document; choose another name in a new object.", rs.name, rs.region, rs.latest.Type))), nil
	}
	c, other := claimOf(rs.latest.Tags, rs.Object.UID, r.OwnerID)
	switch c {
	case ours:
		return nil, nil
	case ofInstallation:
		return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonConflict,
			fmt.Sprintf("Document %q in %s is kept by installation %s of this operator; delete its SessionDocument there with deletionPolicy: Keep. If that cluster is gone, remove the tags %s and %s from the document and set adopt: true.", rs.name, rs.region, other, ownerTag, uidTag))), nil
	case ofObject:
		return r.claimFrom(ctx, rs, other)
	default:
		return r.claimFree(ctx, rs)
	}
}

// claimFrom takes a document over from another object of this cluster: a
// younger one, or one that is gone, as this very object is before a restore.
func (r *Reconciler) claimFrom(ctx context.Context, rs *regionScope, uid string) (*regionResult, error) {
	others, err := r.claimants(ctx, rs.Object)
	if err != nil {
		return nil, err
	}
	for i := range others {
		other := &others[i]
		if string(other.UID) != uid {
			continue
		}
		if precedes(other, rs.Object) || rs.yields || !other.DeletionTimestamp.IsZero() {
			return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonConflict,
				fmt.Sprintf("Document %q in %s belongs to %s; delete that object, or give this one another name in a new object.", rs.name, rs.region, queue.Named("SessionDocument", other)))), nil
		}
		return nil, r.inherit(ctx, rs, other)
	}
	return r.claimLost(ctx, rs, others)
}

// inherit takes over what the operator must restore some day.
func (r *Reconciler) inherit(ctx context.Context, rs *regionScope, other *v1alpha1.SessionDocument) error {
	for _, at := range other.Status.Regions {
		if at.Region == rs.at.Region && at.Adopted != nil && rs.at.Adopted == nil {
			rs.at.Adopted = at.Adopted.DeepCopy()
			return r.persistUnlessObserving(ctx, rs)
		}
	}
	return nil
}

// claimFree takes a document that carries no tag of this operator: one that existed
// before or, where the document still is what the record says, the object's own document
// whose tags were removed.
func (r *Reconciler) claimFree(ctx context.Context, rs *regionScope) (*regionResult, error) {
	if known, err := rs.asRecorded(ctx); known || err != nil {
		return nil, err
	}
	return r.adopt(ctx, rs, "exists already and is not the operator's")
}

// asRecorded reports whether a document is still what the record says.
func (rs *regionScope) asRecorded(ctx context.Context) (bool, error) {
	hash, err := rs.defaultHash(ctx)
	return err == nil && hash != "" && hash == rs.at.Hash, err
}

// isOurs reports whether a document is the object's, with or without its tags.
func (r *Reconciler) isOurs(ctx context.Context, rs *regionScope) (bool, error) {
	switch c, _ := claimOf(rs.latest.Tags, rs.Object.UID, r.OwnerID); c {
	case ours:
		return true, nil
	case free:
		return rs.asRecorded(ctx)
	case ofObject:
		// The object had it before a restore that kept the status.
		return rs.latest.Tags[v1alpha1.TagObject] == accounts.ObjectTag(r.OwnerID, rs.Object), nil
	default:
		return false, nil
	}
}

// adopt adopts a document where the spec declares it; a guardrail allowed that. It first
// records the default version from before, so that cleanup can restore it.
func (r *Reconciler) adopt(ctx context.Context, rs *regionScope, because string) (*regionResult, error) {
	if !rs.Object.Spec.Adopt {
		return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonAdoptionNeeded,
			fmt.Sprintf("Document %q in %s %s; set adopt: true to take it over, which a guardrail's sessionDocuments.adopt must allow, or choose another name in a new object.", rs.name, rs.region, because))), nil
	}
	if rs.at.Adopted != nil {
		return nil, nil
	}
	if rs.latest.Default == 0 {
		return rs.settling(), nil
	}
	if f, err := rs.turnsOff(ctx); f != nil || err != nil {
		return f, err
	}
	rs.at.Adopted = &v1alpha1.AdoptedDocument{DefaultVersion: rs.latest.Default}
	return nil, r.persistUnlessObserving(ctx, rs)
}

// turnsOff reports the preferences of a document that its adoption would turn off without
// a word in the spec: without Run As every session is ssm-user, who may use sudo.
func (rs *regionScope) turnsOff(ctx context.Context) (*regionResult, error) {
	text, err := rs.account.SSM(rs.region).DocumentContent(ctx, rs.name, rs.latest.Default)
	if err != nil {
		return nil, err
	}
	off := document.TurnedOff(text, rs.Object.Spec.Inputs)
	if len(off) == 0 {
		return nil, nil
	}
	return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonSettingsLost,
		fmt.Sprintf("Document %q in %s has preferences that inputs leave out, and adopting it would turn them off: %s. Declare each as it is, or write it as false or \"\" to turn it off.", rs.name, rs.region, strings.Join(off, ", ")))), nil
}

func (r *Reconciler) persistUnlessObserving(ctx context.Context, rs *regionScope) error {
	if rs.isObserving() {
		rs.would = append(rs.would, "adopt it")
		rs.at.Adopted = nil
		return nil
	}
	return rs.persist(ctx)
}
