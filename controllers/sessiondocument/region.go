package sessiondocument

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// site is a document in one region, in one pass.
type site struct {
	*pass
	at     *v1alpha1.DocumentRegion
	region string
	name   string
	// latest describes the newest version.
	latest cloud.Document
	// created: the document was made in this pass, so it cannot have been shared.
	created bool
	// shared are the accounts that the document was shared with, once sharesRead.
	shared     []string
	sharesRead bool
	// sharesErr is why the shares could not be read, or why those could not be removed
	// that the spec does not declare.
	sharesErr error
	// would is what was left out in mode Observe.
	would []string
}

func (p *pass) site(at *v1alpha1.DocumentRegion) *site {
	return &site{pass: p, at: at, region: string(at.Region), name: p.doc.Status.Name}
}

func (s *site) key() documentKey { return documentKey{s.account.AccountID, s.region, s.name} }

// do writes to AWS or, in mode Observe, notes what would be written, as in
// "create the document". done is false then.
func (r *Reconciler) do(s *site, what string, write func() error) (done bool, err error) {
	if s.observing() {
		s.would = append(s.would, what)
		return false, nil
	}
	// Before the call: the write may have taken effect even if the call fails.
	r.Memory.wrote(s.key(), r.Clock.Now(), false)
	err = write()
	r.Memory.wrote(s.key(), r.Clock.Now(), false)
	return err == nil, err
}

// step brings a site further. It returns nil to continue with the next step.
type step func(context.Context, *site) (*finding, error)

// convergeRegion makes the document of a region what is wanted. An error ends the
// pass: it is a *recordError, and not one of AWS.
func (r *Reconciler) convergeRegion(ctx context.Context, p *pass, at *v1alpha1.DocumentRegion) (finding, error) {
	s := p.site(at)
	// The owner is checked before everything else. Steps that revoke access come before
	// those that can fail, and the ownership tags before the content.
	for _, step := range []step{r.exist, r.claim, r.withdrawShares, r.tag, r.hold, r.share, r.prune} {
		f, err := step(ctx, s)
		if _, unrecorded := errors.AsType[*recordError](err); unrecorded {
			return finding{}, err
		}
		if err != nil {
			return failed(err), nil
		}
		if f != nil {
			return s.unlessObserved(*f), nil
		}
	}
	return s.unlessObserved(active()), nil
}

// unlessObserved reports what was left out, where anything was.
func (s *site) unlessObserved(f finding) finding {
	if len(s.would) == 0 {
		return f
	}
	return blocked(v1alpha1.DocumentWouldWrite, v1alpha1.ReasonObserved,
		fmt.Sprintf("AWSAccount %q is in mode Observe, so nothing is written. What would be done with document %q in %s: %s.", s.account.Name, s.name, s.region, strings.Join(s.would, ", ")))
}

// describe reads the newest version.
func (r *Reconciler) describe(ctx context.Context, s *site) (ok bool, err error) {
	s.latest, ok, err = s.account.Cloud.Document(ctx, s.region, s.name, cloud.LatestVersion)
	if ok {
		s.at.DefaultVersion, s.at.LatestVersion = s.latest.Default, s.latest.Latest
	}
	return ok, err
}

// exist makes the document where there is none.
func (r *Reconciler) exist(ctx context.Context, s *site) (*finding, error) {
	ok, err := r.describe(ctx, s)
	if err != nil || ok {
		return nil, err
	}
	if f := s.leftToRival(); f != nil {
		return f, nil
	}
	s.at.DefaultVersion, s.at.LatestVersion, s.at.PendingVersion, s.at.Hash, s.at.ContentHash = 0, 0, 0, "", ""
	done, err := r.do(s, "create it", func() error {
		return s.account.Cloud.CreateSessionDocument(ctx, s.region, s.name, s.want.text, s.want.tags)
	})
	switch {
	case cloud.DocumentExists(err):
		// This object made it a moment ago, or another client did: the next read shows.
		return s.settling(), nil
	case err != nil:
		return nil, err
	case !done:
		return new(blocked(v1alpha1.DocumentWouldWrite, "", "")), nil
	}
	s.created = true
	if s.at.Adopted != nil {
		// There was no document, so there is nothing to restore any more. The creation
		// proves that; a read that shows no document does not.
		s.at.Adopted = nil
		if err := r.persist(ctx, s.pass); err != nil {
			return nil, err
		}
	}
	if ok, err = r.describe(ctx, s); err != nil || ok {
		return nil, err
	}
	return s.settling(), nil
}

// settling waits for AWS to show what it said that it did.
func (s *site) settling() *finding {
	return new(waits(v1alpha1.DocumentPending, settleDelay, v1alpha1.ReasonApplying,
		fmt.Sprintf("AWS does not show the last change of document %q in %s yet.", s.name, s.region)))
}

// tag repairs the tags. Tags that are not declared stay.
func (r *Reconciler) tag(ctx context.Context, s *site) (*finding, error) {
	missing := map[string]string{}
	for key, value := range s.tags() {
		if is, ok := s.latest.Tags[key]; !ok || is != value {
			missing[key] = value
		}
	}
	if len(missing) > 0 {
		what := "set tags " + strings.Join(slices.Sorted(maps.Keys(missing)), ", ")
		if _, err := r.do(s, what, func() error {
			return s.account.Cloud.TagDocument(ctx, s.region, s.name, missing)
		}); err != nil {
			return nil, err
		}
	}
	var stale []string
	for _, key := range s.doc.Status.TagKeys {
		if _, wanted := s.want.tags[key]; wanted {
			continue
		}
		if _, has := s.latest.Tags[key]; has {
			stale = append(stale, key)
		}
	}
	if len(stale) > 0 {
		if _, err := r.do(s, "remove tags "+strings.Join(stale, ", "), func() error {
			return s.account.Cloud.UntagDocument(ctx, s.region, s.name, stale)
		}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
