package sessionaccess

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

const (
	// maxIncomplete bounds the regions that a record names as incomplete, and
	// maxIncompleteText what it says of each, as the API does.
	maxIncomplete     = 40
	maxIncompleteText = 1024
	// maxNamed bounds the regions that a condition's message names.
	maxNamed = 3
)

// failure is what keeps a revocation from being complete in a region. It does not hold up
// the other regions.
type failure struct {
	accountID, region string
	err               error
}

// incompleteIn reports failures by region, of each the first.
func incompleteIn(failures []failure) []v1alpha1.IncompleteRegion {
	var regions []v1alpha1.IncompleteRegion
	for _, f := range failures {
		if slices.ContainsFunc(regions, func(r v1alpha1.IncompleteRegion) bool {
			return r.AccountID == f.accountID && string(r.Region) == f.region
		}) {
			continue
		}
		message := []rune(cloud.Sentence(f.err))
		regions = append(regions, v1alpha1.IncompleteRegion{
			AccountID: f.accountID, Region: v1alpha1.Region(f.region), Message: string(message[:min(len(message), maxIncompleteText)]),
		})
	}
	slices.SortFunc(regions, func(a, b v1alpha1.IncompleteRegion) int {
		return cmp.Or(strings.Compare(a.AccountID, b.AccountID), strings.Compare(string(a.Region), string(b.Region)))
	})
	return regions[:min(len(regions), maxIncomplete)]
}

// unlisted reports the regions where the operator could not list or end open sessions.
func unlisted(failures []failure) reconcile.Verdict {
	progress := reconcile.Retrying
	for _, f := range failures {
		if cloud.Classify(f.err) != cloud.Transport {
			progress = reconcile.Stuck
		}
	}
	return reconcile.Verdict{
		Progress: progress, Reason: v1alpha1.ReasonEndingSessions,
		Message: "The permission is gone, but this is not complete: open sessions cannot be looked for or ended in some regions. " + inRegions(incompleteIn(failures)) +
			" In all other regions they are ended. Where sessions of a region can never be listed, AWSAccount.spec.sessionTermination: BestEffort lets a revocation complete without.",
	}
}

// inRegions says of each region what is wrong.
func inRegions(regions []v1alpha1.IncompleteRegion) string {
	var texts []string
	for _, r := range regions[:min(len(regions), maxNamed)] {
		texts = append(texts, fmt.Sprintf("%s: %s", r.Region, r.Message))
	}
	if more := len(regions) - maxNamed; more > 0 {
		texts = append(texts, fmt.Sprintf("%d more regions are in status.revocation.incomplete.", more))
	}
	return strings.Join(texts, " ")
}
