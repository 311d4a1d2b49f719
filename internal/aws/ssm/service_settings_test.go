package ssm

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emulatorssm "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

func TestTheTierIsReadChangedAndReset(t *testing.T) {
	w := newWorldWithNodes(t)
	w.aws.SetTierTimes(emulatorssm.TierTimes{Up: time.Minute, Down: time.Hour})
	is := func(want TierSetting) {
		t.Helper()
		got, err := w.region.TierSetting(t.Context())
		w.must(err)
		if got.Pending != want.Pending || !got.Pending && got != want {
			t.Errorf("the tier is %+v, want %+v", got, want)
		}
	}
	is(TierSetting{Tier: Standard})
	w.must(w.region.SetTier(t.Context(), Advanced))
	is(TierSetting{Pending: true})
	w.aws.Advance(time.Minute)
	is(TierSetting{Tier: Advanced, Customized: true})
	w.must(w.region.ResetTier(t.Context()))
	is(TierSetting{Pending: true})
	if err := w.region.SetTier(t.Context(), Advanced); awserr.Classify(err) != awserr.Throttled {
		t.Errorf("a change beside a pending one is %v (%s)", err, awserr.Classify(err))
	}
	w.aws.Advance(time.Hour)
	is(TierSetting{Tier: Standard})
}

func TestASettingIsKnownByIDAndByARN(t *testing.T) {
	for id, known := range map[string]bool{
		"/ssm/managed-instance/activation-tier":                                                        true,
		"arn:aws:ssm:ap-northeast-1:488821267897:servicesetting/ssm/managed-instance/activation-tier":  true,
		"arn:aws-cn:ssm:cn-north-1:488821267897:servicesetting//ssm/managed-instance/activation-tier":  true,
		"arn:aws:ssm:ap-northeast-1:488821267897:servicesetting/ssm/parameter-store/default-parameter": false,
		"arn:aws:ssm:ap-northeast-1:488821267897:parameter/x":                                          false,
		"/ssm/parameter-store/default-parameter-tier":                                                  false,
		"": false,
	} {
		_, err := tierOf(&types.ServiceSetting{SettingId: aws.String(id), SettingValue: aws.String("advanced")}, testRegion)
		if (err == nil) != known {
			t.Errorf("%q: %v", id, err)
		}
	}
	_, err := tierOf(&types.ServiceSetting{SettingId: aws.String(tierSetting), SettingValue: aws.String("platinum")}, testRegion)
	if err == nil || awserr.Classify(err) != awserr.Invalid {
		t.Errorf("an unknown tier is %v", err)
	}
	if _, err := tierOf(nil, testRegion); err == nil {
		t.Error("no setting at all is taken for one")
	}
}

func TestHybridNodesAreCountedOverAllPagesAndInstancesAreNot(t *testing.T) {
	fixture := emulated.Fixture()
	nodes := fixtures.Region{Instances: []fixtures.Instance{{ID: pc01, Agent: &fixtures.Agent{PlatformType: "Linux"}}}}
	for i := range 120 {
		nodes.ManagedNodes = append(nodes.ManagedNodes, fixtures.ManagedNode{ID: fmt.Sprintf("mi-%017x", i)})
	}
	fixture.Accounts[0].Regions = map[string]fixtures.Region{testRegion: nodes}
	w := newWorldOf(t, fixture)
	got, err := w.region.CountHybridNodes(t.Context())
	w.must(err)
	if got != 120 {
		t.Errorf("%d hybrid nodes, want 120", got)
	}
}

func TestADocumentIsThereOrNot(t *testing.T) {
	w := newWorldWithNodes(t)
	for name, want := range map[string]bool{"AWS-StartSSHSession": true, "nobodys-document": false} {
		got, err := w.region.HasDocument(t.Context(), name)
		w.must(err)
		if got != want {
			t.Errorf("%s exists: %t, want %t", name, got, want)
		}
	}
}
