package ssm

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// The activation tiers.
const (
	TierStandard = "standard"
	TierAdvanced = "advanced"
)

// TierTimes are how long the activation tier takes to change.
type TierTimes struct{ Up, Down time.Duration }

// tier is the setting of the activation tier. It is immutable.
type tier struct {
	value string
	// customized means that the value was set and is not the default.
	customized bool
	// before is the effective tier until changed.
	before  string
	changed time.Time
	// modified is when it was last set, zero for never; user is who set it.
	modified time.Time
	user     string
}

func (t tier) pending(now time.Time) bool { return now.Before(t.changed) }

// inForce is the tier that applies to nodes and sessions.
func (t tier) inForce(now time.Time) string {
	if t.pending(now) {
		return t.before
	}
	return t.value
}

func (t tier) status(now time.Time) string {
	switch {
	case t.pending(now):
		return "PendingUpdate"
	case t.customized:
		return "Customized"
	default:
		return "Default"
	}
}

// Tier is the effective activation tier, without any lag.
func (r *Region) Tier() string { return r.history.Latest().tier.inForce(r.Now()) }

// TierStatus is the status of the setting: Default, Customized or
// PendingUpdate.
func (r *Region) TierStatus() string { return r.history.Latest().tier.status(r.Now()) }

// SetTier sets the activation tier, with immediate effect.
func (r *Region) SetTier(value string) {
	// Nothing in the change can fail.
	_ = r.update(r.Now(), func(s *State) error {
		s.tier = tier{value: value, customized: true, modified: r.Now(), user: r.rootARN()}
		return nil
	})
}

func (r *Region) rootARN() string { return "arn:" + r.Partition + ":iam::" + r.AccountID + ":root" }

// setting is the tier as AWS shows it. While a change is pending the value is
// the new one, as in an example of the user guide; it has not been seen on a
// real account.
func (r *Region) setting(t tier, now time.Time) *types.ServiceSetting {
	out := &types.ServiceSetting{
		ARN: aws.String(r.ARN("ssm", tierResource)), SettingId: aws.String(tierSetting), SettingValue: aws.String(t.value),
		Status: aws.String(t.status(now)), LastModifiedUser: aws.String("System"), LastModifiedDate: aws.Time(time.Unix(0, 0)),
	}
	if !t.modified.IsZero() {
		out.LastModifiedDate, out.LastModifiedUser = aws.Time(t.modified), aws.String(t.user)
	}
	return out
}
