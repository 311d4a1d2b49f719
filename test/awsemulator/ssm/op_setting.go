package ssm

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

const (
	// tierSetting is the id of the service setting that can be changed.
	tierSetting  = "/ssm/managed-instance/activation-tier"
	tierResource = "servicesetting" + tierSetting
)

// checkSetting finds the setting by its id or ARN.
func (r *Region) checkSetting(id *string) error {
	if text := aws.ToString(id); text != tierSetting && text != r.ARN("ssm", tierResource) {
		return invalid("ServiceSettingNotFound", "The specified service setting %s was not found.", text)
	}
	return nil
}

func (r *Region) getServiceSetting(req *service.Request, in *sdk.GetServiceSettingInput) (*sdk.GetServiceSettingOutput, error) {
	if r.isHostSetting(in.SettingId) {
		return &sdk.GetServiceSettingOutput{ServiceSetting: r.hostSetting(r.history.Latest().hostRole)}, nil
	}
	if err := r.checkSetting(in.SettingId); err != nil {
		return nil, err
	}
	return &sdk.GetServiceSettingOutput{ServiceSetting: r.setting(r.history.Latest().tier, req.Now)}, nil
}

func (r *Region) updateServiceSetting(req *service.Request, in *sdk.UpdateServiceSettingInput) (*sdk.UpdateServiceSettingOutput, error) {
	if err := r.checkSetting(in.SettingId); err != nil {
		return nil, err
	}
	value := aws.ToString(in.SettingValue)
	if value != TierStandard && value != TierAdvanced {
		return nil, service.ValidationError("Value '%s' is not valid for the setting %s: it is standard or advanced", value, tierSetting)
	}
	return &sdk.UpdateServiceSettingOutput{}, r.changeTier(req, value, true)
}

func (r *Region) resetServiceSetting(req *service.Request, in *sdk.ResetServiceSettingInput) (*sdk.ResetServiceSettingOutput, error) {
	if err := r.checkSetting(in.SettingId); err != nil {
		return nil, err
	}
	if err := r.changeTier(req, TierStandard, false); err != nil {
		return nil, err
	}
	return &sdk.ResetServiceSettingOutput{ServiceSetting: r.setting(r.history.Latest().tier, req.Now)}, nil
}

func (r *Region) changeTier(req *service.Request, value string, customized bool) error {
	return r.update(req.Now, func(s *State) error {
		if s.tier.pending(req.Now) {
			return invalid("TooManyUpdates", "There are concurrent updates for the setting %s: one is pending.", tierSetting)
		}
		next := tier{
			value: value, customized: customized, before: s.tier.value, changed: req.Now, modified: req.Now, user: req.Caller.ARN,
		}
		times := r.TierTimes()
		switch value {
		case next.before:
		case TierAdvanced:
			next.changed = req.Now.Add(times.Up)
		default:
			if limit := r.Limits().StandardNodes; r.hybridNodes() > limit {
				// That it is refused is documented, the error's code is not.
				return service.ValidationError("The standard tier allows %d hybrid nodes and there are %d. Deregister nodes before", limit, r.hybridNodes())
			}
			next.changed = req.Now.Add(times.Down)
		}
		s.tier = next
		return nil
	})
}
