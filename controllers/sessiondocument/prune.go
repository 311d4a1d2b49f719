package sessiondocument

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// prune removes the versions beyond those that are kept. It lists them only
// where there can be so many.
func (r *Reconciler) prune(ctx context.Context, s *site) (*finding, error) {
	if s.latest.Latest <= int64(s.doc.Spec.KeepVersions) {
		return nil, nil
	}
	return nil, r.removeVersions(ctx, s)
}

func (r *Reconciler) removeVersions(ctx context.Context, s *site) error {
	versions, err := s.account.Cloud.DocumentVersions(ctx, s.region, s.name)
	if err != nil {
		return err
	}
	for _, version := range s.superfluous(versions) {
		if _, err := r.do(s, fmt.Sprintf("delete version %d", version), func() error {
			return s.account.Cloud.DeleteDocumentVersion(ctx, s.region, s.name, version)
		}); err != nil {
			return err
		}
	}
	return nil
}

// superfluous are the versions to remove, oldest first: all but the newest, the default,
// the one to restore later, one that waits, and one that is declared to be the default.
func (s *site) superfluous(versions []cloud.DocumentVersion) []int64 {
	var old []int64
	for i, v := range newestFirst(versions) {
		kept := i < max(int(s.doc.Spec.KeepVersions), 1) || v.Default || v.Number == s.latest.Default ||
			v.Number == s.at.PendingVersion || v.Number == s.doc.Spec.DefaultVersion ||
			(s.at.Adopted != nil && v.Number == s.at.Adopted.DefaultVersion)
		if !kept {
			old = append(old, v.Number)
		}
	}
	slices.Reverse(old)
	return old
}

func newestFirst(versions []cloud.DocumentVersion) []cloud.DocumentVersion {
	return slices.SortedFunc(slices.Values(versions), func(a, b cloud.DocumentVersion) int { return cmp.Compare(b.Number, a.Number) })
}
