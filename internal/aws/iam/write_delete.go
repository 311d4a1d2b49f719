package iam

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// deletionRounds is how often a deletion is tried before the next reconcile
// takes over: once with what the cache knows, once with what IAM lists, and
// once more for what was added in between.
const deletionRounds = 3

// DeletePolicy detaches one of the operator's policies from every principal and
// deletes it. It succeeds if the policy does not exist. One call for each
// attachment and each old version, and one more. When IAM reports that
// something is left which the cache does not know, DeletePolicy lists it.
func (a *Account) DeletePolicy(ctx context.Context, name string) error {
	return a.write(ctx, name, func(w *writer) error {
		known := w.known()
		attached, versions, current := known.attachedTo(), known.versions, known.defaultVersion
		for round := 1; ; round++ {
			if err := w.strip(ctx, attached, versions, current); err != nil {
				return err
			}
			err := w.deletePolicy(ctx)
			if awserr.Code(err) != awserr.CodeDeleteConflict || round == deletionRounds {
				return a.Explain(err, "deleting policy %q", name)
			}
			if attached, versions, current, err = w.leftovers(ctx); err != nil {
				return a.Explain(err, "listing what keeps policy %q from being deleted", name)
			}
		}
	})
}

// Remove is DeletePolicy for a policy whose access is revoked. Where AWS declines the
// deletion, the policy gets a document that grants nothing, so that a principal that cannot be
// detached from it has no access by it. The error is that of the deletion all the same, with that of the
// document if there is one.
func (a *Account) Remove(ctx context.Context, name, nothing string) error {
	err := a.DeletePolicy(ctx, name)
	switch awserr.Classify(err) {
	case awserr.None, awserr.Throttled, awserr.Transport, awserr.Canceled: // It is retried soon.
		return err
	default:
		if view := a.Cache().Policy(name); view.Presence == Absent || view.Document == nothing {
			return err
		}
		return errors.Join(err, a.PutDocument(ctx, name, nothing))
	}
}

// strip removes what blocks the deletion of a policy: attachments first. If one
// principal cannot be detached, the others still are.
func (w *writer) strip(ctx context.Context, attached []Principal, versions []string, current string) error {
	var failures []error
	for _, principal := range attached {
		if err := w.detached(ctx, principal); err != nil {
			failures = append(failures, err)
		}
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}
	for _, version := range versions {
		if version == current {
			continue
		}
		// If someone moved the default version, it is deleted with the policy.
		if err := w.dropVersion(ctx, version); err != nil && awserr.Code(err) != awserr.CodeDeleteConflict {
			return w.account.Explain(err, "deleting version %s of policy %q", version, w.name)
		}
	}
	return nil
}

func (w *writer) deletePolicy(ctx context.Context) error {
	o, err := w.send(func(watched func(*iam.Options)) error {
		_, err := w.client.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &w.arn}, watched)
		return err
	})
	if awserr.Code(err) == awserr.CodeNoSuchEntity {
		o.acked, err = true, nil
	}
	w.note(o, func(p *policy) {
		if o.acked {
			p.deleted(o)
			return
		}
		p.wroteExistence(Absent, o)
	})
	return err
}

// leftovers lists what IAM still has attached or versioned; nothing when the
// policy vanished meanwhile.
func (w *writer) leftovers(ctx context.Context) (attached []Principal, versions []string, current string, err error) {
	begun := w.account.cache.now()
	if attached, err = listAttached(ctx, w.client, &w.arn); err == nil {
		versions, current, err = listVersions(ctx, w.client, &w.arn)
	}
	if awserr.Code(err) == awserr.CodeNoSuchEntity {
		return nil, nil, "", nil
	}
	if err == nil {
		w.compareDefault(begun, current)
		w.compareAttached(begun, attached)
	}
	return attached, versions, current, err
}
