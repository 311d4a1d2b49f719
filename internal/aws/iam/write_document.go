package iam

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// NewPolicy is a policy to be created.
type NewPolicy struct {
	Name string
	// Description can never be changed later.
	Description string
	// Document in JSON.
	Document string
	// Tags inform people; nothing is read from them.
	Tags map[string]string
}

// CreatePolicy creates a policy under the operator's path. If the policy
// exists, its document is updated instead. A NameTakenError means that a policy
// outside the operator's path has the name. If the cache has not seen that
// policy yet, the error is a SettlingError until the next Refresh. One call,
// two when the policy exists.
func (a *Account) CreatePolicy(ctx context.Context, policy NewPolicy) error {
	return a.write(ctx, policy.Name, func(w *writer) error {
		return a.Explain(w.create(ctx, policy), "creating policy %q", policy.Name)
	})
}

// PutDocument makes the document the default version of one of the operator's
// policies. When the quota leaves no room, it first deletes the oldest version
// that is not the default. One call, two when there are as many versions as the
// quota allows.
func (a *Account) PutDocument(ctx context.Context, name, document string) error {
	return a.write(ctx, name, func(w *writer) error {
		err := w.put(ctx, document)
		if awserr.Code(err) == awserr.CodeNoSuchEntity {
			err = w.gone(ctx)
		}
		return a.Explain(err, "updating policy %q", name)
	})
}

func (w *writer) create(ctx context.Context, wanted NewPolicy) error {
	o, err := w.send(func(watched func(*iam.Options)) error {
		_, err := w.client.CreatePolicy(ctx, &iam.CreatePolicyInput{
			PolicyName: &wanted.Name, Path: aws.String(w.account.ownership.Path()),
			Description: optional(wanted.Description), PolicyDocument: &wanted.Document, Tags: tags(wanted.Tags),
		}, watched)
		return err
	})
	w.note(o, func(p *policy) {
		if o.acked {
			p.created(wanted.Document, o)
			return
		}
		p.wroteExistence(Present, o)
		p.wroteContent(wanted.Document, "", o)
	})
	if awserr.Code(err) == awserr.CodeEntityExists {
		return w.createExisting(ctx, wanted)
	}
	return err
}

// createExisting handles a name that is taken: by this process, if its first
// attempt was not lost after all, or by someone else. A write shows which, not
// a read: reads lag. The bulk read has seen or will see the other owner.
func (w *writer) createExisting(ctx context.Context, wanted NewPolicy) error {
	err := w.put(ctx, wanted.Document)
	if awserr.Code(err) != awserr.CodeNoSuchEntity {
		return err
	}
	if arn := w.account.cache.misplacedARN(w.name); arn != "" {
		return &NameTakenError{Name: w.name, ARN: arn}
	}
	return &SettlingError{Name: w.name}
}

// put makes a new default version, and room for it when there is none.
func (w *writer) put(ctx context.Context, document string) error {
	if known := w.known(); len(known.versions) >= w.account.versionsPerPolicy() {
		if err := w.dropOldest(ctx, known.versions, known.defaultVersion); err != nil {
			return err
		}
	}
	refusal := w.putVersion(ctx, document)
	if awserr.Code(refusal) != awserr.CodeLimitExceeded {
		return refusal
	}
	// Too many versions, other than the cache knew, or too large a document:
	// AWS's code is the same.
	begun := w.account.cache.now()
	versions, current, err := listVersions(ctx, w.client, &w.arn)
	if err != nil {
		return err
	}
	w.compareDefault(begun, current)
	if len(versions) >= w.account.versionsPerPolicy() {
		if err := w.dropOldest(ctx, versions, current); err != nil {
			return err
		}
		if refusal = w.putVersion(ctx, document); awserr.Code(refusal) != awserr.CodeLimitExceeded {
			return refusal
		}
	}
	if len(document) <= w.account.KnownQuotas().PolicySize {
		return &SettlingError{Name: w.name} // the list of versions lags
	}
	return refusal
}

func (w *writer) putVersion(ctx context.Context, document string) error {
	var version string
	o, err := w.send(func(watched func(*iam.Options)) error {
		out, err := w.client.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
			PolicyArn: &w.arn, PolicyDocument: &document, SetAsDefault: true,
		}, watched)
		if err == nil && out.PolicyVersion != nil {
			version = aws.ToString(out.PolicyVersion.VersionId)
		}
		return err
	})
	w.note(o, func(p *policy) {
		if o.acked {
			p.wroteExistence(Present, outcome{began: o.began, ended: o.ended, acked: true})
		}
		p.wroteContent(document, version, o)
		if o.unknown {
			p.versions = nil // a lost attempt may have made one more
		}
	})
	return err
}

// dropOldest deletes the oldest version that can be deleted.
func (w *writer) dropOldest(ctx context.Context, versions []string, current string) error {
	var err error
	for _, version := range versions {
		if version == current {
			continue
		}
		err = w.dropVersion(ctx, version)
		if awserr.Code(err) != awserr.CodeDeleteConflict {
			return err
		}
		// It is the default: someone changed that. The next one is not.
	}
	return err
}

// dropVersion deletes a version; one that is gone already is fine.
func (w *writer) dropVersion(ctx context.Context, version string) error {
	o, err := w.send(func(watched func(*iam.Options)) error {
		_, err := w.client.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{
			PolicyArn: &w.arn, VersionId: &version,
		}, watched)
		return err
	})
	if awserr.Code(err) == awserr.CodeNoSuchEntity {
		o.acked, err = true, nil
	}
	w.note(o, func(p *policy) {
		if o.acked {
			p.droppedVersion(version)
			return
		}
		p.versions = nil
	})
	return err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// tags in the SDK's form, sorted by key.
func tags(m map[string]string) []types.Tag {
	var out []types.Tag
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, types.Tag{Key: aws.String(key), Value: aws.String(m[key])})
	}
	return out
}
