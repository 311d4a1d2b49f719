package accounttier

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// standardNodes is how many hybrid nodes the Standard tier allows in an account
// and region (AWS Systems Manager endpoints and quotas).
const standardNodes = 1000

var (
	toAPI = map[ssm.Tier]v1alpha1.Tier{ssm.Standard: v1alpha1.TierStandard, ssm.Advanced: v1alpha1.TierAdvanced}
	toAWS = map[v1alpha1.Tier]ssm.Tier{v1alpha1.TierStandard: ssm.Standard, v1alpha1.TierAdvanced: ssm.Advanced}
)

func other(tier v1alpha1.Tier) v1alpha1.Tier {
	switch tier {
	case v1alpha1.TierStandard:
		return v1alpha1.TierAdvanced
	case v1alpha1.TierAdvanced:
		return v1alpha1.TierStandard
	default:
		return ""
	}
}

// observe copies an answer of AWS into the record of a region. It ignores the value
// of a pending setting: whether that is the one before or after the change has not
// been seen on a real account. An answer without a change that was sent a moment ago
// may be older than the change.
func observe(r *v1alpha1.RegionTier, s ssm.TierSetting, now time.Time) {
	switch {
	case s.Pending:
		if r.PendingSince == nil {
			begin(r, other(r.Tier), now)
		}
	case r.PendingSince != nil && r.ChangingTo != "" && toAPI[s.Tier] != r.ChangingTo &&
		now.Before(r.PendingSince.Add(awsclient.ConsistencyWindow)):
	default:
		r.Tier, r.ChangingTo, r.PendingSince = toAPI[s.Tier], "", nil
	}
}

// begin records that a tier is being changed.
func begin(r *v1alpha1.RegionTier, to v1alpha1.Tier, now time.Time) {
	// Stored to the second, so rounded up: the window must not be cut short.
	since := metav1.NewTime(now.Add(time.Second - 1).Truncate(time.Second))
	r.ChangingTo, r.PendingSince = to, &since
}

// withdraw records that a change was declined.
func withdraw(r *v1alpha1.RegionTier) { r.ChangingTo, r.PendingSince = "", nil }

// remember records what was there before the first write.
func remember(r *v1alpha1.RegionTier, s ssm.TierSetting) {
	if r.Before == nil {
		r.Before = &v1alpha1.TierBefore{Tier: toAPI[s.Tier], Customized: s.Customized}
	}
}

// regionOf finds the record of a region, and adds one where there is none. The
// records are ordered by name.
func regionOf(status *v1alpha1.AccountTierStatus, region v1alpha1.Region) *v1alpha1.RegionTier {
	i, found := slices.BinarySearchFunc(status.Regions, region, byName)
	if !found {
		status.Regions = slices.Insert(status.Regions, i, v1alpha1.RegionTier{Region: region})
	}
	return &status.Regions[i]
}

// find is the record of a region, nil when there is none.
func find(status *v1alpha1.AccountTierStatus, region v1alpha1.Region) *v1alpha1.RegionTier {
	i := slices.IndexFunc(status.Regions, func(r v1alpha1.RegionTier) bool { return r.Region == region })
	if i < 0 {
		return nil
	}
	return &status.Regions[i]
}

// forget drops the record of a region.
func forget(status *v1alpha1.AccountTierStatus, region v1alpha1.Region) {
	status.Regions = slices.DeleteFunc(status.Regions, func(r v1alpha1.RegionTier) bool { return r.Region == region })
}

func byName(r v1alpha1.RegionTier, name v1alpha1.Region) int {
	return strings.Compare(string(r.Region), string(name))
}

const (
	// soonPoll and latePoll bound how often a pending change is polled. Polling starts
	// often, because an upgrade takes minutes, and slows to once a minute, because a
	// downgrade takes half an hour.
	soonPoll = 2 * time.Second
	latePoll = time.Minute
)

// pollAfter is how long to wait before looking at a pending change again.
func pollAfter(since, now time.Time) time.Duration {
	return min(max(now.Sub(since)/4, soonPoll), latePoll)
}
