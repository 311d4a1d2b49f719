package awsemulator

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// controlRegister registers a machine by an activation of the region.
func (s *Server) controlRegister(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	in, err := readControl[ssm.Registration](r)
	if err != nil {
		return nil, err
	}
	id, err := region.SSM.Register(s.clock.Now(), in)
	return map[string]string{"instanceId": id}, err
}

// activationView is an activation as the control endpoint shows it: without
// its code.
type activationView struct {
	ID            string            `json:"id"`
	Role          string            `json:"role"`
	Name          string            `json:"defaultInstanceName,omitempty"`
	Limit         int32             `json:"registrationLimit"`
	Registrations int32             `json:"registrations"`
	Expires       time.Time         `json:"expires"`
	Expired       bool              `json:"expired"`
	Tags          map[string]string `json:"tags,omitempty"`
}

func (s *Server) controlActivations(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	list := []activationView{}
	for a := range region.SSM.Activations() {
		list = append(list, activationView{
			ID: a.ID, Role: a.Role, Name: a.Name, Limit: a.Limit, Registrations: a.Registered, Expires: a.Expires,
			Expired: a.Expired(s.clock.Now()), Tags: a.Tags,
		})
	}
	return list, nil
}

func (s *Server) controlTier(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	return map[string]string{"tier": region.SSM.Tier(), "status": region.SSM.TierStatus()}, nil
}

// controlSetTier sets the activation tier, with immediate effect.
func (s *Server) controlSetTier(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	in, err := readControl[struct {
		Tier string `json:"tier"`
	}](r)
	if err != nil {
		return nil, err
	}
	if in.Tier != ssm.TierStandard && in.Tier != ssm.TierAdvanced {
		return nil, fmt.Errorf("the tier is standard or advanced, not %q", in.Tier)
	}
	region.SSM.SetTier(in.Tier)
	return s.controlTier(r)
}

// controlLimits sets quotas of the region; what is left out stays.
func (s *Server) controlLimits(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	in, err := readControl[ssm.Limits](r)
	if err != nil {
		return nil, err
	}
	region.SSM.SetLimits(in)
	return region.SSM.Limits(), nil
}
