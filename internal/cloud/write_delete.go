package cloud

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// deletionRounds is how often a deletion is tried before the next reconcile
// takes over: once with what the mirror knows, once with what IAM lists, and
// once more for what was added in between.
const deletionRounds = 3

// DeletePolicy detaches one of the operator's policies from every principal and
// deletes it. It succeeds if the policy does not exist. One call for each
// attachment and each old version, and one more. When IAM reports that
// something is left which the mirror does not know, DeletePolicy lists it.
func (a *Account) DeletePolicy(ctx context.Context, name string) error {
	return a.write(ctx, name, func(w *writer) error {
		known := w.known()
		attached, versions, current := known.attachedTo(), known.versions, known.defaultVersion
		for round := 1; ; round++ {
			if err := w.strip(ctx, attached, versions, current); err != nil {
				return err
			}
			err := w.deletePolicy(ctx)
			if Code(err) != codeDeleteConflict || round == deletionRounds {
				return a.explain(err, "deleting policy %q", name)
			}
			if attached, versions, current, err = w.leftovers(ctx); err != nil {
				return a.explain(err, "listing what keeps policy %q from being deleted", name)
			}
		}
	})
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
		if err := w.dropVersion(ctx, version); err != nil && Code(err) != codeDeleteConflict {
			return w.account.explain(err, "deleting version %s of policy %q", version, w.name)
		}
	}
	return nil
}

func (w *writer) deletePolicy(ctx context.Context) error {
	o, err := w.send(func(watched func(*iam.Options)) error {
		_, err := w.client.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &w.arn}, watched)
		return err
	})
	if Code(err) == codeNoSuchEntity {
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
	begun := w.account.mirror.now()
	if attached, err = listAttached(ctx, w.client, &w.arn); err == nil {
		versions, current, err = listVersions(ctx, w.client, &w.arn)
	}
	if Code(err) == codeNoSuchEntity {
		return nil, nil, "", nil
	}
	if err == nil {
		w.compareDefault(begun, current)
		w.compareAttached(begun, attached)
	}
	return attached, versions, current, err
}
