package sessiondocument

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/internal/document"
)

// hold makes some version hold what is declared, and the right version the
// default.
func (r *Reconciler) hold(ctx context.Context, rs *regionScope) (*regionResult, error) {
	if f := rs.underWay(); f != nil {
		return f, nil
	}
	holds, err := r.defaultMeaning(ctx, rs)
	if err != nil {
		return nil, err
	}
	rs.at.PendingVersion = 0
	version := rs.latest.Default
	if holds != rs.desired.meaning || rs.failedIn(version) {
		var f *regionResult
		if version, f, err = r.holder(ctx, rs); f != nil || err != nil {
			return f, err
		}
	}
	if rs.Object.Spec.Promotion != v1alpha1.PromotionManual {
		return r.promote(ctx, rs, version)
	}
	return r.promoteDeclared(ctx, rs, version)
}

// underWay reports what AWS is doing to the document.
func (rs *regionScope) underWay() *regionResult {
	state, doing := v1alpha1.DocumentUpdating, "making a version of"
	switch rs.latest.Status {
	case ssm.DocumentCreating:
		state, doing = v1alpha1.DocumentCreating, "creating"
	case ssm.DocumentUpdating:
	case ssm.DocumentDeleting:
		state, doing = v1alpha1.DocumentDeleting, "deleting"
	default:
		return nil
	}
	return new(waits(state, followDelay, v1alpha1.ReasonApplying, fmt.Sprintf("AWS is %s document %q in %s.", doing, rs.name, rs.region)))
}

// failedIn reports whether AWS could not make this version, as far as that is known.
func (rs *regionScope) failedIn(version int64) bool {
	return rs.latest.Status == ssm.DocumentFailed && rs.latest.Version == version
}

// defaultMeaning is what the default version says; "" where that cannot be read
// as a document.
func (r *Reconciler) defaultMeaning(ctx context.Context, rs *regionScope) (string, error) {
	hash, err := rs.defaultHash(ctx)
	if err != nil {
		return "", err
	}
	meaning, err := r.meaning(ctx, rs, rs.latest.Default, hash)
	if err == nil && rs.claimed() {
		rs.at.Hash, rs.at.ContentHash = hash, meaning
	}
	return meaning, err
}

// claimed reports whether a document that claim let pass is the object's already. In mode
// Observe the object may only be about to adopt it: its hash in the record would say that
// the operator wrote it.
func (rs *regionScope) claimed() bool {
	return !rs.isObserving() || rs.latest.Tags[uidTag] == string(rs.Object.UID)
}

// defaultHash is AWS's hash of the default version; "" where it gives none.
func (rs *regionScope) defaultHash(ctx context.Context) (string, error) {
	if rs.latest.Default == rs.latest.Version {
		return rs.latest.Hash, nil
	}
	current, _, err := rs.account.SSM(rs.region).Document(ctx, rs.name, ssm.DefaultVersion)
	return current.Hash, err
}

// meaning is the content of a version. The operator reads it where the hash is not known:
// neither that of what would be written, nor that of what was read before.
//
// ? AWS does not document that its hash is the SHA-256 of the content. Where it is not,
// the operator reads versions more often.
func (r *Reconciler) meaning(ctx context.Context, rs *regionScope, version int64, hash string) (string, error) {
	switch {
	case hash != "" && strings.EqualFold(hash, hashOf(rs.desired.text)):
		return rs.desired.meaning, nil
	case hash != "" && hash == rs.at.Hash && rs.at.ContentHash != "":
		return rs.at.ContentHash, nil
	}
	text, err := rs.account.SSM(rs.region).DocumentContent(ctx, rs.name, version)
	if ssm.IsNoDocument(err) || ssm.IsNoDocumentVersion(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	meaning, err := document.Meaning(text)
	if err != nil {
		return "", nil //nolint:nilerr // What cannot be read is not what is desired, and is replaced.
	}
	return meaning, nil
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// holder finds the version, other than the default, that holds what is
// declared, and makes one where there is none.
func (r *Reconciler) holder(ctx context.Context, rs *regionScope) (int64, *regionResult, error) {
	latest := rs.latest.Version
	if latest != rs.latest.Default || rs.failedIn(latest) {
		holds, err := r.meaning(ctx, rs, latest, rs.latest.Hash)
		if err != nil {
			return 0, nil, err
		}
		if holds == rs.desired.meaning {
			return latest, rs.failure(), nil
		}
	}
	done, err := r.do(rs, "add a version", func() error {
		_, err := rs.account.SSM(rs.region).AddDocumentVersion(ctx, rs.name, rs.desired.text)
		return err
	})
	switch {
	case ssm.IsDuplicateContent(err):
		return r.olderHolder(ctx, rs)
	case ssm.IsTooManyVersions(err):
		if err := r.removeVersions(ctx, rs); err != nil {
			return 0, nil, err
		}
		return 0, rs.settling(), nil
	case err != nil:
		return 0, nil, err
	case !done:
		return 0, new(blocked(v1alpha1.DocumentWouldWrite, "", "")), nil
	}
	before := latest
	if ok, err := r.describe(ctx, rs); err != nil || !ok || rs.latest.Version == before {
		return 0, rs.settling(), err
	}
	if f := rs.underWay(); f != nil {
		return 0, f, nil
	}
	return rs.latest.Version, rs.failure(), nil
}

// failure reports that AWS could not make the newest version; nil where it could.
func (rs *regionScope) failure() *regionResult {
	if rs.latest.Status != ssm.DocumentFailed {
		return nil
	}
	way := "delete that version in AWS"
	if rs.latest.Version == rs.latest.Default {
		way = "delete the document in AWS"
	}
	return new(blocked(v1alpha1.DocumentFailed, v1alpha1.ReasonDocumentFailed,
		fmt.Sprintf("AWS could not make version %d of document %q in %s: %s. Change what is declared, or %s to have it made again.", rs.latest.Version, rs.name, rs.region, information(rs.latest.Information), way)))
}

// maxInformation bounds what AWS says, in characters.
const maxInformation = 300

// information is what AWS says about a state, in one line and without a full stop.
func information(text string) string {
	line := strings.Join(strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
	if runes := []rune(line); len(runes) > maxInformation {
		line = string(runes[:maxInformation]) + "…"
	}
	return orUnknown(strings.TrimRight(line, ". "))
}

// olderHolder finds an older version that holds what is declared: AWS says that
// there is one.
func (r *Reconciler) olderHolder(ctx context.Context, rs *regionScope) (int64, *regionResult, error) {
	versions, err := rs.account.SSM(rs.region).DocumentVersions(ctx, rs.name)
	if err != nil {
		return 0, nil, err
	}
	for _, v := range newestFirst(versions) {
		if v.Status != ssm.DocumentActive {
			continue
		}
		// Without a hash it is read.
		holds, err := r.meaning(ctx, rs, v.Number, "")
		if err != nil {
			return 0, nil, err
		}
		if holds == rs.desired.meaning {
			return v.Number, nil, nil
		}
	}
	return 0, rs.settling(), nil
}

// promote makes a version the default, and reads that back.
func (r *Reconciler) promote(ctx context.Context, rs *regionScope, version int64) (*regionResult, error) {
	if version == rs.latest.Default {
		return nil, nil
	}
	done, err := r.do(rs, fmt.Sprintf("make version %d the default", version), func() error {
		return rs.account.SSM(rs.region).SetDefaultDocumentVersion(ctx, rs.name, version)
	})
	if err != nil || !done {
		return nil, err
	}
	ok, err := r.describe(ctx, rs)
	if err != nil {
		return nil, err
	}
	if !ok || rs.latest.Default != version {
		return rs.settling(), nil
	}
	_, err = r.defaultMeaning(ctx, rs)
	return nil, err
}

// promoteDeclared makes the version that is declared the default. holder is the
// one that holds what is declared; it waits where it is another one.
func (r *Reconciler) promoteDeclared(ctx context.Context, rs *regionScope, holder int64) (*regionResult, error) {
	if declared := rs.Object.Spec.DefaultVersion; declared > 0 && declared != rs.latest.Default {
		f, err := r.promote(ctx, rs, declared)
		if ssm.IsNoDocumentVersion(err) {
			return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonVersionNotFound,
				fmt.Sprintf("Document %q in %s has no version %d that could be the default; its newest is %d. Correct defaultVersion. Sessions use version %d.", rs.name, rs.region, declared, rs.latest.Latest, rs.latest.Default))), nil
		}
		if f != nil || err != nil {
			return f, err
		}
	}
	if holder != rs.latest.Default && rs.at.ContentHash != rs.desired.meaning {
		rs.at.PendingVersion = holder
	}
	return nil, nil
}

// prune removes the versions beyond those that are kept. It lists them only
// where there can be so many.
func (r *Reconciler) prune(ctx context.Context, rs *regionScope) (*regionResult, error) {
	if rs.latest.Latest <= int64(rs.Object.Spec.KeepVersions) {
		return nil, nil
	}
	return nil, r.removeVersions(ctx, rs)
}

func (r *Reconciler) removeVersions(ctx context.Context, rs *regionScope) error {
	versions, err := rs.account.SSM(rs.region).DocumentVersions(ctx, rs.name)
	if err != nil {
		return err
	}
	for _, version := range rs.superfluous(versions) {
		if _, err := r.do(rs, fmt.Sprintf("delete version %d", version), func() error {
			return rs.account.SSM(rs.region).DeleteDocumentVersion(ctx, rs.name, version)
		}); err != nil {
			return err
		}
	}
	return nil
}

// superfluous are the versions to remove, oldest first: all but the newest, the default,
// the one to restore later, one that waits, and one that is declared to be the default.
func (rs *regionScope) superfluous(versions []ssm.DocumentVersion) []int64 {
	var old []int64
	for i, v := range newestFirst(versions) {
		kept := i < max(int(rs.Object.Spec.KeepVersions), 1) || v.Default || v.Number == rs.latest.Default ||
			v.Number == rs.at.PendingVersion || v.Number == rs.Object.Spec.DefaultVersion ||
			(rs.at.Adopted != nil && v.Number == rs.at.Adopted.DefaultVersion)
		if !kept {
			old = append(old, v.Number)
		}
	}
	slices.Reverse(old)
	return old
}

func newestFirst(versions []ssm.DocumentVersion) []ssm.DocumentVersion {
	return slices.SortedFunc(slices.Values(versions), func(a, b ssm.DocumentVersion) int { return cmp.Compare(b.Number, a.Number) })
}
