package accounttier

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestWhatAWSAnswersIsTakenIntoTheRecord(t *testing.T) {
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(d)} }
	standard, advanced := ssm.TierSetting{Tier: ssm.Standard}, ssm.TierSetting{Tier: ssm.Advanced, Customized: true}
	pending := ssm.TierSetting{Tier: ssm.Advanced, Pending: true}
	const up, down = v1alpha1.TierAdvanced, v1alpha1.TierStandard
	sent := v1alpha1.RegionTier{Tier: down, ChangingTo: up, PendingSince: at(0)}
	for name, c := range map[string]struct {
		record v1alpha1.RegionTier
		answer ssm.TierSetting
		after  time.Duration
		want   v1alpha1.RegionTier
	}{
		"a tier that is in force":                       {v1alpha1.RegionTier{}, advanced, 0, v1alpha1.RegionTier{Tier: up}},
		"a tier that somebody changed":                  {v1alpha1.RegionTier{Tier: up}, standard, 0, v1alpha1.RegionTier{Tier: down}},
		"somebody's change that nothing is known about": {v1alpha1.RegionTier{}, pending, 0, v1alpha1.RegionTier{PendingSince: at(0)}},
		"somebody's change of a known tier":             {v1alpha1.RegionTier{Tier: up}, pending, 0, v1alpha1.RegionTier{Tier: up, ChangingTo: down, PendingSince: at(0)}},
		"our change, pending for an hour":               {sent, pending, time.Hour, sent},
		"our change, done":                              {sent, advanced, time.Hour, v1alpha1.RegionTier{Tier: up}},
		"our change, done at once":                      {sent, advanced, 0, v1alpha1.RegionTier{Tier: up}},
		"our change, not shown yet":                     {sent, standard, 30 * time.Second, sent},
		"our change, which came to nothing":             {sent, standard, 2 * time.Minute, v1alpha1.RegionTier{Tier: down}},
		"somebody's change, over":                       {v1alpha1.RegionTier{PendingSince: at(0)}, standard, time.Second, v1alpha1.RegionTier{Tier: down}},
	} {
		got := *c.record.DeepCopy()
		observe(&got, c.answer, noon.Add(c.after))
		same := got.Tier == c.want.Tier && got.ChangingTo == c.want.ChangingTo && got.PendingSince.Equal(c.want.PendingSince)
		if !same {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestWhatWasThereBeforeIsRememberedOnce(t *testing.T) {
	r := &v1alpha1.RegionTier{}
	remember(r, ssm.TierSetting{Tier: ssm.Standard})
	remember(r, ssm.TierSetting{Tier: ssm.Advanced, Customized: true})
	if r.Before == nil || r.Before.Tier != v1alpha1.TierStandard || r.Before.Customized {
		t.Errorf("remembered is %+v", r.Before)
	}
}

func TestRegionsAreKeptInOrder(t *testing.T) {
	status := &v1alpha1.AccountTierStatus{}
	for _, name := range []v1alpha1.Region{"us-east-1", "ap-northeast-1", "eu-west-1", "ap-northeast-1"} {
		if got := regionOf(status, name); got.Region != name {
			t.Errorf("the record of %s is of %s", name, got.Region)
		}
	}
	forget(status, "eu-west-1")
	if len(status.Regions) != 2 || status.Regions[0].Region != "ap-northeast-1" || status.Regions[1].Region != "us-east-1" || find(status, "eu-west-1") != nil {
		t.Errorf("the records are %+v", status.Regions)
	}
}

func TestAPendingChangeIsLookedAtLessAndLess(t *testing.T) {
	for elapsed, want := range map[time.Duration]time.Duration{
		-time.Second: 2 * time.Second, 0: 2 * time.Second, 20 * time.Second: 5 * time.Second, time.Hour: time.Minute,
	} {
		if got := pollAfter(noon, noon.Add(elapsed)); got != want {
			t.Errorf("after %s the next look is in %s, want %s", elapsed, got, want)
		}
	}
}
