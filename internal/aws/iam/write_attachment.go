package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// Attach attaches one of the operator's policies to a principal. It succeeds if
// the policy is already attached. A MissingPrincipalError means that there is
// no such principal, a PolicyGoneError that there is no such policy. One call.
func (a *Account) Attach(ctx context.Context, name string, to Principal) error {
	return a.write(ctx, name, func(w *writer) error {
		o, err := w.send(func(watched func(*iam.Options)) error { return w.attach(ctx, to, watched) })
		w.note(o, func(p *policy) { p.wroteAttachment(to, Present, o) })
		if awserr.Code(err) == awserr.CodeNoSuchEntity {
			err = w.missing(ctx, to)
		}
		return a.Explain(err, "attaching policy %q to %s", name, to)
	})
}

// Detach detaches one of the operator's policies from a principal. It succeeds
// if the policy is already detached, or if the principal or the policy does not
// exist. One call.
func (a *Account) Detach(ctx context.Context, name string, from Principal) error {
	return a.write(ctx, name, func(w *writer) error { return w.detached(ctx, from) })
}

func (w *writer) detached(ctx context.Context, from Principal) error {
	o, err := w.send(func(watched func(*iam.Options)) error { return w.detach(ctx, from, watched) })
	if awserr.Code(err) == awserr.CodeNoSuchEntity {
		o.acked, err = true, nil
	}
	w.note(o, func(p *policy) { p.wroteAttachment(from, Absent, o) })
	return w.account.Explain(err, "detaching policy %q from %s", w.name, from)
}

// missing determines what an attachment lacked: the principal or the policy.
func (w *writer) missing(ctx context.Context, to Principal) error {
	view, err := w.account.LookUpPrincipal(ctx, to)
	switch {
	case err != nil:
		return err
	case view.Presence == Absent:
		return &MissingPrincipalError{Principal: to}
	}
	return w.gone(ctx)
}

func (w *writer) attach(ctx context.Context, to Principal, watched func(*iam.Options)) error {
	var err error
	switch to.Kind {
	case Group:
		_, err = w.client.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{PolicyArn: &w.arn, GroupName: &to.Name}, watched)
	case Role:
		_, err = w.client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{PolicyArn: &w.arn, RoleName: &to.Name}, watched)
	default:
		_, err = w.client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{PolicyArn: &w.arn, UserName: &to.Name}, watched)
	}
	return err
}

func (w *writer) detach(ctx context.Context, from Principal, watched func(*iam.Options)) error {
	var err error
	switch from.Kind {
	case Group:
		_, err = w.client.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{PolicyArn: &w.arn, GroupName: &from.Name}, watched)
	case Role:
		_, err = w.client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{PolicyArn: &w.arn, RoleName: &from.Name}, watched)
	default:
		_, err = w.client.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{PolicyArn: &w.arn, UserName: &from.Name}, watched)
	}
	return err
}
