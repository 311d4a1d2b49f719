package ssm

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

const (
	// hostSetting is the id of the service setting that names the role of default
	// host management. It is read only.
	hostSetting  = "/ssm/managed-instance/default-ec2-instance-management-role"
	hostResource = "servicesetting" + hostSetting
	// hostOff is its value where no role is set.
	hostOff = "$None"
)

// SetHostRole sets the role of default host management by its name, which has its
// path before it; "" switches it off.
func (r *Region) SetHostRole(name string) {
	// Nothing in the change can fail.
	_ = r.update(r.Now(), func(s *State) error {
		s.hostRole = name
		return nil
	})
}

func (r *Region) isHostSetting(id *string) bool {
	text := aws.ToString(id)
	return text == hostSetting || text == r.ARN("ssm", hostResource)
}

func (r *Region) hostSetting(role string) *types.ServiceSetting {
	value, status := role, "Customized"
	if role == "" {
		value, status = hostOff, "Default"
	}
	return &types.ServiceSetting{
		ARN: aws.String(r.ARN("ssm", hostResource)), SettingId: aws.String(hostSetting), SettingValue: aws.String(value),
		Status: aws.String(status), LastModifiedUser: aws.String("System"), LastModifiedDate: aws.Time(time.Unix(0, 0)),
	}
}
