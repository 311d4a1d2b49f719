package awsemulator_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	emussm "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

const (
	tierSetting = "/ssm/managed-instance/activation-tier"
	tierARN     = "arn:aws:ssm:" + region + ":" + account + ":servicesetting" + tierSetting
)

func (w *world) tier() types.ServiceSetting {
	w.t.Helper()
	return *must(w.ssm(admin).GetServiceSetting(ctx(w.t), &ssm.GetServiceSettingInput{SettingId: aws.String(tierSetting)}))(w.t).ServiceSetting
}

func (w *world) setTier(value string) error {
	_, err := w.ssm(admin).UpdateServiceSetting(ctx(w.t), &ssm.UpdateServiceSettingInput{SettingId: aws.String(tierARN), SettingValue: aws.String(value)})
	return err
}

func TestTierChangesInItsTime(t *testing.T) {
	w := newWorld(t)
	w.SetTierTimes(emussm.TierTimes{Up: time.Minute, Down: 30 * time.Minute})
	if s := w.tier(); *s.Status != "Default" || *s.SettingValue != "standard" || *s.ARN != tierARN {
		t.Fatalf("at the start the tier is %+v", s)
	}
	node := must(w.register(w.newActivation(ssm.CreateActivationInput{})))(t)
	_, err := w.open(admin, node)
	wantCode(t, err, "BadRequest")
	wantCode(t, w.setTier("advanced"), "")
	if s := w.tier(); *s.Status != "PendingUpdate" || *s.LastModifiedUser != "arn:aws:iam::"+account+":user/admin" {
		t.Fatalf("while it changes the tier is %+v", s)
	}
	wantCode(t, w.setTier("advanced"), "TooManyUpdates")
	_, err = w.open(admin, node)
	wantCode(t, err, "BadRequest")
	w.Advance(time.Minute)
	if s := w.tier(); *s.Status != "Customized" || *s.SettingValue != "advanced" {
		t.Fatalf("after a minute the tier is %+v", s)
	}
	must(w.open(admin, node))(t)
	out := must(w.ssm(admin).ResetServiceSetting(ctx(t), &ssm.ResetServiceSettingInput{SettingId: aws.String(tierSetting)}))(t)
	if *out.ServiceSetting.Status != "PendingUpdate" {
		t.Fatalf("on its way back the tier is %+v", out.ServiceSetting)
	}
	w.Advance(29 * time.Minute)
	must(w.open(admin, node))(t)
	w.Advance(time.Minute)
	if s := w.tier(); *s.Status != "Default" || *s.SettingValue != "standard" {
		t.Fatalf("in the end the tier is %+v", s)
	}
	_, err = w.open(admin, node)
	wantCode(t, err, "BadRequest")
}

func TestTierIsChecked(t *testing.T) {
	w := newWorld(t)
	wantCode(t, w.setTier("golden"), "ValidationException")
	_, err := w.ssm(admin).GetServiceSetting(ctx(t), &ssm.GetServiceSettingInput{SettingId: aws.String("/ssm/parameter-store/high-throughput-enabled")})
	wantCode(t, err, "ServiceSettingNotFound")
	systems := w.Account(account).Region(region).SSM
	systems.SetLimits(emussm.Limits{StandardNodes: 1})
	wantCode(t, w.setTier("advanced"), "")
	a := w.newActivation(ssm.CreateActivationInput{RegistrationLimit: aws.Int32(2)})
	must(w.register(a))(t)
	wantCode(t, w.setTier("standard"), "")
	wantCode(t, w.setTier("advanced"), "")
	must(w.register(a))(t)
	wantCode(t, w.setTier("standard"), "ValidationException")
	if systems.Tier() != emussm.TierAdvanced || systems.TierStatus() != "Customized" {
		t.Fatalf("the tier is %s, %s", systems.Tier(), systems.TierStatus())
	}
	_, err = w.ssm(user01).GetServiceSetting(ctx(t), &ssm.GetServiceSettingInput{SettingId: aws.String(tierSetting)})
	wantCode(t, err, "AccessDeniedException")
	w.allow("user01", statements(`{"Effect":"Allow","Action":"ssm:GetServiceSetting","Resource":"`+tierARN+`"}`))
	must(w.ssm(user01).GetServiceSetting(ctx(t), &ssm.GetServiceSettingInput{SettingId: aws.String(tierSetting)}))(t)
}
