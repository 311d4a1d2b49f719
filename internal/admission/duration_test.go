package admission_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

func TestShortDurationLosesNothing(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"720h": 720 * time.Hour, "1h30m": 90 * time.Minute, "1m30s": 90 * time.Second, "1h0m30s": time.Hour + 30*time.Second,
		"10m": 10 * time.Minute, "0s": 0, "10s": 10 * time.Second, "1h10m": 70 * time.Minute,
	} {
		got := admission.ShortDuration(d)
		if parsed, err := time.ParseDuration(got); got != want || err != nil || parsed != d {
			t.Errorf("%v became %q, want %q", d, got, want)
		}
	}
}
