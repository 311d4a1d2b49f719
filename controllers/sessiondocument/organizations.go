package sessiondocument

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// A document is shared with organizations by one resource share of AWS RAM in each region.
// Its name and its owner tag make it the operator's. The document itself carries
// TagShared, so that a restored object looks for the resource share. Other resource shares
// of the document belong to others, and stay.

// shareRetryDelay is how long after RAM failed to share the operator asks it again.
const shareRetryDelay = 10 * time.Minute

// codeOtherRequest is RAM's error for a client token that came with other parameters.
const codeOtherRequest = "IdempotentParameterMismatchException"

// shareName is the name of the resource share of a document.
func shareName(owner, document string) string { return "ssm-access-" + owner + "-" + document }

// resourceShares are the operator's resource shares of a document. There is more than one
// only where RAM made one again whose creation it had not shown.
type resourceShares struct {
	read       bool
	found      []ssm.ResourceShare
	principals []ssm.ShareAssociation
}

// mayBeShared reports whether the operator shares the document with organizations, or may
// have done so.
func (rs *regionScope) mayBeShared() bool {
	return len(rs.desired.organizations) > 0 || rs.at.ResourceShare != nil || rs.latest.Tags[v1alpha1.TagShared] != ""
}

func (rs *regionScope) documentARN() string {
	return fmt.Sprintf("arn:%s:ssm:%s:%s:document/%s", rs.account.Partition, rs.region, rs.account.AccountID, rs.name)
}

// readResourceShares finds the operator's resource shares, and whom the first one shares
// with.
func (r *Reconciler) readResourceShares(ctx context.Context, rs *regionScope) error {
	aws := rs.account.SSM(rs.region)
	all, err := aws.ResourceShares(ctx, shareName(r.OwnerID, rs.name))
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(all, func(s ssm.ResourceShare) bool { return s.Tags[ownerTag] != r.OwnerID })
	if len(found) > 0 {
		if rs.shares.principals, err = aws.SharePrincipals(ctx, found[0].ARN); err != nil {
			return err
		}
	}
	rs.shares.read, rs.shares.found = true, found
	return nil
}

// withdrawOrganizations ends sharing with organizations that the spec does not declare.
func (r *Reconciler) withdrawOrganizations(ctx context.Context, rs *regionScope) error {
	if !rs.mayBeShared() {
		return nil
	}
	if err := r.readResourceShares(ctx, rs); err != nil || len(rs.shares.found) == 0 {
		return err
	}
	superfluous := rs.shares.found[1:]
	if len(rs.desired.organizations) == 0 {
		superfluous = rs.shares.found
	}
	var failures []error
	for _, share := range superfluous {
		_, err := r.do(rs, "delete resource share "+share.Name, func() error {
			return rs.account.SSM(rs.region).DeleteResourceShare(ctx, share.ARN)
		})
		failures = append(failures, err)
	}
	var extra []string
	for _, p := range rs.shares.principals {
		if len(rs.desired.organizations) > 0 && p.Status != ssm.ShareDisassociating && !slices.Contains(rs.desired.organizations, p.Entity) {
			extra = append(extra, p.Entity)
		}
	}
	if len(extra) > 0 {
		_, err := r.do(rs, "no longer share it with "+strings.Join(extra, ", "), func() error {
			return rs.account.SSM(rs.region).DisassociateResourceShare(ctx, rs.shares.found[0].ARN, extra)
		})
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// shareWithOrganizations makes the resource share what is declared, after
// withdrawOrganizations has removed what is not.
func (r *Reconciler) shareWithOrganizations(ctx context.Context, rs *regionScope) (*regionResult, error) {
	if !rs.mayBeShared() {
		return nil, nil
	}
	if !rs.shares.read {
		if err := r.withdrawOrganizations(ctx, rs); err != nil {
			return nil, err
		}
	}
	if len(rs.desired.organizations) == 0 {
		return r.endSharing(ctx, rs)
	}
	if len(rs.shares.found) == 0 {
		return r.createResourceShare(ctx, rs)
	}
	if err := r.recordResourceShare(ctx, rs, ""); err != nil {
		return nil, err
	}
	if share := rs.shares.found[0]; share.Failed {
		return rs.shareFailed(rs.desired.organizations, share.Information), nil
	}
	return r.associate(ctx, rs)
}

// recordResourceShare records, in the status and on the document, that there may be a
// resource share. An empty token means that RAM shows it.
func (r *Reconciler) recordResourceShare(ctx context.Context, rs *regionScope, token string) error {
	if rs.isObserving() {
		return nil
	}
	record := v1alpha1.DocumentResourceShare{Name: shareName(r.OwnerID, rs.name), Token: token}
	isNew := rs.at.ResourceShare == nil || (token != "" && *rs.at.ResourceShare != record)
	rs.at.ResourceShare = &record
	if isNew {
		if err := rs.persist(ctx); err != nil {
			return err
		}
	}
	if rs.latest.Tags[v1alpha1.TagShared] != "" {
		return nil
	}
	_, err := r.do(rs, "set tag "+v1alpha1.TagShared, func() error {
		return rs.account.SSM(rs.region).TagDocument(ctx, rs.name, map[string]string{v1alpha1.TagShared: sharedByRAM})
	})
	return err
}

// sharedByRAM is the value of TagShared.
const sharedByRAM = "ram"

// createResourceShare makes the resource share. Its token was recorded before, so that a
// request that is sent again after a crash makes no second one.
func (r *Reconciler) createResourceShare(ctx context.Context, rs *regionScope) (*regionResult, error) {
	token := string(uuid.NewUUID())
	if rs.at.ResourceShare != nil && rs.at.ResourceShare.Token != "" {
		token = rs.at.ResourceShare.Token
	}
	if err := r.recordResourceShare(ctx, rs, token); err != nil {
		return nil, err
	}
	done, err := r.do(rs, "share it with "+strings.Join(rs.desired.organizations, ", "), func() error {
		r.Memory.wroteShare(rs.key(), r.Clock.Now())
		return rs.account.SSM(rs.region).CreateResourceShare(ctx, ssm.NewResourceShare{
			Name: shareName(r.OwnerID, rs.name), Token: token, Resource: rs.documentARN(), Principals: rs.desired.organizations,
			Tags: map[string]string{ownerTag: r.OwnerID, uidTag: string(rs.Object.UID), v1alpha1.TagObject: rs.desired.tags[v1alpha1.TagObject]},
		})
	})
	switch {
	case awserr.Code(err) == codeOtherRequest:
		// The spec changed since: the earlier request may have made a share, which the next
		// read shows.
		return rs.sharing(), r.recordResourceShare(ctx, rs, string(uuid.NewUUID()))
	case err != nil:
		return nil, err
	case !done:
		return nil, nil
	}
	return rs.sharing(), nil
}

// associate adds to the resource share what is declared and missing, and reports what RAM
// has not done yet.
func (r *Reconciler) associate(ctx context.Context, rs *regionScope) (*regionResult, error) {
	share := rs.shares.found[0]
	resources, err := rs.account.SSM(rs.region).ShareResources(ctx, share.ARN)
	if err != nil {
		return nil, err
	}
	principals := associationsOf(rs.shares.principals, rs.desired.organizations, r.Clock.Now())
	document := associationsOf(resources, []string{rs.documentARN()}, r.Clock.Now())
	if add := slices.Concat(principals.missing, document.missing); len(add) > 0 {
		done, err := r.do(rs, "share it with "+strings.Join(rs.desired.organizations, ", "), func() error {
			return rs.account.SSM(rs.region).AssociateResourceShare(ctx, share.ARN, principals.missing, document.missing)
		})
		if err != nil || !done {
			return nil, err
		}
		return rs.sharing(), nil
	}
	if failed := slices.Concat(principals.failed, document.failed); len(failed) > 0 {
		f := rs.shareFailed([]string{failed[0].Entity}, failed[0].Information)
		f.RequeueAfter = shareRetryDelay
		return f, nil
	}
	if share.Pending || principals.underWay || document.underWay {
		return rs.sharing(), nil
	}
	if shared, err := rs.account.SSM(rs.region).HasResourcePolicy(ctx, rs.documentARN()); err != nil || !shared {
		return rs.settling(), err
	}
	return nil, nil
}

// associations is what is missing of those that are desired, and what RAM says of the rest.
type associations struct {
	missing  []string
	failed   []ssm.ShareAssociation
	underWay bool
}

// associationsOf compares associations with those that are desired. One that failed some
// time ago is missing: RAM is asked again.
func associationsOf(have []ssm.ShareAssociation, desired []string, now time.Time) (found associations) {
	found.underWay = slices.ContainsFunc(have, func(a ssm.ShareAssociation) bool {
		return a.Status == ssm.ShareAssociating || a.Status == ssm.ShareDisassociating
	})
	for _, entity := range desired {
		i := slices.IndexFunc(have, func(a ssm.ShareAssociation) bool { return a.Entity == entity })
		switch {
		case i < 0 || have[i].Status == ssm.ShareFailed && now.Sub(have[i].Updated) >= shareRetryDelay:
			found.missing = append(found.missing, entity)
		case have[i].Status == ssm.ShareFailed:
			found.failed = append(found.failed, have[i])
		}
	}
	return found
}

// sharing waits for RAM.
func (rs *regionScope) sharing() *regionResult {
	return new(waits(v1alpha1.DocumentPending, followDelay, v1alpha1.ReasonApplying,
		fmt.Sprintf("AWS RAM is changing whom document %q in %s is shared with.", rs.name, rs.region)))
}

func (rs *regionScope) shareFailed(whom []string, why string) *regionResult {
	return new(blocked(v1alpha1.DocumentBlocked, v1alpha1.ReasonShareFailed,
		fmt.Sprintf("AWS RAM could not share document %q in %s with %s: %s. Correct sharedWith, or let RAM share within the organization in its management account.", rs.name, rs.region, strings.Join(whom, ", "), information(why))))
}

// endSharing waits until nothing of a resource share is left, and then strikes it off the
// record.
func (r *Reconciler) endSharing(ctx context.Context, rs *regionScope) (*regionResult, error) {
	if rs.isObserving() {
		return nil, nil
	}
	if len(rs.shares.found) > 0 {
		return rs.sharing(), nil
	}
	if wait := r.Memory.shareAbsenceCounts(rs.key()).Sub(r.Clock.Now()); wait > 0 {
		f := rs.sharing()
		f.RequeueAfter = wait
		return f, nil
	}
	ending, err := rs.account.SSM(rs.region).ResourceShareEnding(ctx, rs.documentARN())
	if err != nil {
		return nil, err
	}
	if ending {
		return rs.sharing(), nil
	}
	if _, tagged := rs.latest.Tags[v1alpha1.TagShared]; tagged {
		if _, err := r.do(rs, "remove tag "+v1alpha1.TagShared, func() error {
			return rs.account.SSM(rs.region).UntagDocument(ctx, rs.name, []string{v1alpha1.TagShared})
		}); err != nil {
			return nil, err
		}
	}
	rs.at.ResourceShare = nil
	r.Memory.forgetShare(rs.key())
	return nil, nil
}

// unshareOrganizations ends all sharing with organizations. It returns nil once none is
// left.
func (r *Reconciler) unshareOrganizations(ctx context.Context, rs *regionScope) (*regionResult, error) {
	rs.desired.organizations = nil
	if !rs.mayBeShared() {
		return nil, nil
	}
	if err := r.withdrawOrganizations(ctx, rs); err != nil {
		return nil, err
	}
	f, err := r.endSharing(ctx, rs)
	if f != nil {
		f.Reason, f.state = v1alpha1.ReasonCleaningUp, v1alpha1.DocumentDeleting
	}
	return f, err
}
