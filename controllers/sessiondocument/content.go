package sessiondocument

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/document"
)

// hold makes some version hold what is declared, and the right version the
// default.
func (r *Reconciler) hold(ctx context.Context, s *site) (*finding, error) {
	if f := s.underWay(); f != nil {
		return f, nil
	}
	holds, err := r.defaultMeaning(ctx, s)
	if err != nil {
		return nil, err
	}
	s.at.PendingVersion = 0
	version := s.latest.Default
	if holds != s.want.meaning || s.failedIn(version) {
		var f *finding
		if version, f, err = r.holder(ctx, s); f != nil || err != nil {
			return f, err
		}
	}
	if s.doc.Spec.Promotion != v1alpha1.PromotionManual {
		return r.promote(ctx, s, version)
	}
	return r.promoteDeclared(ctx, s, version)
}

// underWay reports what AWS is doing to the document.
func (s *site) underWay() *finding {
	state, doing := v1alpha1.DocumentUpdating, "making a version of"
	switch s.latest.Status {
	case cloud.DocumentCreating:
		state, doing = v1alpha1.DocumentCreating, "creating"
	case cloud.DocumentUpdating:
	case cloud.DocumentDeleting:
		state, doing = v1alpha1.DocumentDeleting, "deleting"
	default:
		return nil
	}
	return new(waits(state, followDelay, v1alpha1.ReasonApplying, fmt.Sprintf("AWS is %s document %q in %s.", doing, s.name, s.region)))
}

// failedIn reports whether AWS could not make this version, as far as that is known.
func (s *site) failedIn(version int64) bool {
	return s.latest.Status == cloud.DocumentFailed && s.latest.Version == version
}

// defaultMeaning is what the default version says; "" where that cannot be read
// as a document.
func (r *Reconciler) defaultMeaning(ctx context.Context, s *site) (string, error) {
	hash, err := s.defaultHash(ctx)
	if err != nil {
		return "", err
	}
	meaning, err := r.meaning(ctx, s, s.latest.Default, hash)
	if err == nil && s.claimed() {
		s.at.Hash, s.at.ContentHash = hash, meaning
	}
	return meaning, err
}

// claimed reports whether a document that claim let pass is the object's already. In mode
// Observe the object may only be about to adopt it: its hash in the record would say that
// the operator wrote it.
func (s *site) claimed() bool {
	return !s.observing() || s.latest.Tags[uidTag] == string(s.doc.UID)
}

// defaultHash is AWS's hash of the default version; "" where it gives none.
func (s *site) defaultHash(ctx context.Context) (string, error) {
	if s.latest.Default == s.latest.Version {
		return s.latest.Hash, nil
	}
	current, _, err := s.account.Cloud.Document(ctx, s.region, s.name, cloud.DefaultDocumentVersion)
	return current.Hash, err
}

// meaning is the content of a version. The operator reads it where the hash is not known:
// neither that of what would be written, nor that of what was read before.
//
// ? AWS does not document that its hash is the SHA-256 of the content. Where it is not,
// the operator reads versions more often.
func (r *Reconciler) meaning(ctx context.Context, s *site, version int64, hash string) (string, error) {
	switch {
	case hash != "" && strings.EqualFold(hash, hashOf(s.want.text)):
		return s.want.meaning, nil
	case hash != "" && hash == s.at.Hash && s.at.ContentHash != "":
		return s.at.ContentHash, nil
	}
	text, err := s.account.Cloud.DocumentContent(ctx, s.region, s.name, version)
	if cloud.NoDocument(err) || cloud.NoDocumentVersion(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	meaning, err := document.Meaning(text)
	if err != nil {
		return "", nil //nolint:nilerr // What cannot be read is not what is wanted, and is replaced.
	}
	return meaning, nil
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// holder finds the version, other than the default, that holds what is
// declared, and makes one where there is none.
func (r *Reconciler) holder(ctx context.Context, s *site) (int64, *finding, error) {
	latest := s.latest.Version
	if latest != s.latest.Default || s.failedIn(latest) {
		holds, err := r.meaning(ctx, s, latest, s.latest.Hash)
		if err != nil {
			return 0, nil, err
		}
		if holds == s.want.meaning {
			return latest, s.failure(), nil
		}
	}
	done, err := r.do(s, "add a version", func() error {
		_, err := s.account.Cloud.AddDocumentVersion(ctx, s.region, s.name, s.want.text)
		return err
	})
	switch {
	case cloud.DuplicateContent(err):
		return r.olderHolder(ctx, s)
	case cloud.TooManyVersions(err):
		if err := r.removeVersions(ctx, s); err != nil {
			return 0, nil, err
		}
		return 0, s.settling(), nil
	case err != nil:
		return 0, nil, err
	case !done:
		return 0, new(blocked(v1alpha1.DocumentWouldWrite, "", "")), nil
	}
	before := latest
	if ok, err := r.describe(ctx, s); err != nil || !ok || s.latest.Version == before {
		return 0, s.settling(), err
	}
	if f := s.underWay(); f != nil {
		return 0, f, nil
	}
	return s.latest.Version, s.failure(), nil
}

// failure reports that AWS could not make the newest version; nil where it could.
func (s *site) failure() *finding {
	if s.latest.Status != cloud.DocumentFailed {
		return nil
	}
	way := "delete that version in AWS"
	if s.latest.Version == s.latest.Default {
		way = "delete the document in AWS"
	}
	return new(blocked(v1alpha1.DocumentFailed, v1alpha1.ReasonDocumentFailed,
		fmt.Sprintf("AWS could not make version %d of document %q in %s: %s. Change what is declared, or %s to have it made again.", s.latest.Version, s.name, s.region, information(s.latest.Information), way)))
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
func (r *Reconciler) olderHolder(ctx context.Context, s *site) (int64, *finding, error) {
	versions, err := s.account.Cloud.DocumentVersions(ctx, s.region, s.name)
	if err != nil {
		return 0, nil, err
	}
	for _, v := range newestFirst(versions) {
		if v.Status != cloud.DocumentActive {
			continue
		}
		// Without a hash it is read.
		holds, err := r.meaning(ctx, s, v.Number, "")
		if err != nil {
			return 0, nil, err
		}
		if holds == s.want.meaning {
			return v.Number, nil, nil
		}
	}
	return 0, s.settling(), nil
}

// promote makes a version the default, and reads that back.
func (r *Reconciler) promote(ctx context.Context, s *site, version int64) (*finding, error) {
	if version == s.latest.Default {
		return nil, nil
	}
	done, err := r.do(s, fmt.Sprintf("make version %d the default", version), func() error {
		return s.account.Cloud.SetDefaultDocumentVersion(ctx, s.region, s.name, version)
	})
	if err != nil || !done {
		return nil, err
	}
	ok, err := r.describe(ctx, s)
	if err != nil {
		return nil, err
	}
	if !ok || s.latest.Default != version {
		return s.settling(), nil
	}
	_, err = r.defaultMeaning(ctx, s)
	return nil, err
}

// promoteDeclared makes the version that is declared the default. holder is the
// one that holds what is declared; it waits where it is another one.
func (r *Reconciler) promoteDeclared(ctx context.Context, s *site, holder int64) (*finding, error) {
	if declared := s.doc.Spec.DefaultVersion; declared > 0 && declared != s.latest.Default {
		f, err := r.promote(ctx, s, declared)
		if cloud.NoDocumentVersion(err) {
			return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonVersionNotFound,
				fmt.Sprintf("Document %q in %s has no version %d that could be the default; its newest is %d. Correct defaultVersion. Sessions use version %d.", s.name, s.region, declared, s.latest.Latest, s.latest.Default))), nil
		}
		if f != nil || err != nil {
			return f, err
		}
	}
	if holder != s.latest.Default && s.at.ContentHash != s.want.meaning {
		s.at.PendingVersion = holder
	}
	return nil, nil
}
