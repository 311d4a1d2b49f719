package ssm

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// The bounds of an activation's life (API reference).
const (
	defaultActivationLife = 24 * time.Hour
	maxActivationLife     = 30 * 24 * time.Hour
	activationCodeLength  = 20
)

var (
	roleNamePattern        = service.NewPattern("iamRole", `(?s).*`, 1, 64)
	instanceNamePattern    = service.NewPattern("defaultInstanceName", `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, 0, 256)
	descriptionPattern     = service.NewPattern("description", `(?s).*`, 0, 256)
	activationIDPattern    = service.NewPattern("activationId", `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, 36, 36)
	managedInstancePattern = service.NewPattern("instanceId", `mi-[0-9a-f]{17}`, 20, 124)
)

func (r *Region) createActivation(req *service.Request, in *sdk.CreateActivationInput) (*sdk.CreateActivationOutput, error) {
	a, err := newActivation(req.Now, in)
	if err != nil {
		return nil, err
	}
	if role := r.ServiceRole(req.Now, a.Role); !role.Trusts {
		return nil, service.ValidationError("Nonexistent role or missing ssm service principal in trust policy: %s", role.ARN)
	}
	a.ID, a.Code = r.Random.RequestID(), r.Random.Secret(activationCodeLength)
	err = r.update(req.Now, func(s *State) error {
		s.activations = s.activations.With(a.ID, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateActivationOutput{ActivationId: aws.String(a.ID), ActivationCode: aws.String(a.Code)}, nil
}

// newActivation checks a creation and makes the activation of it.
func newActivation(now time.Time, in *sdk.CreateActivationInput) (*Activation, error) {
	a := &Activation{
		Role: aws.ToString(in.IamRole), Name: aws.ToString(in.DefaultInstanceName), Description: aws.ToString(in.Description),
		Created: now, Expires: now.Add(defaultActivationLife),
	}
	if err := roleNamePattern.Check(a.Role); err != nil {
		return nil, err
	}
	if err := instanceNamePattern.Check(a.Name); err != nil {
		return nil, err
	}
	if err := descriptionPattern.Check(a.Description); err != nil {
		return nil, err
	}
	limit, err := service.InRange("registrationLimit", in.RegistrationLimit, 1, 1000, 1)
	if err != nil {
		return nil, err
	}
	a.Limit = int32(limit)
	if in.ExpirationDate != nil {
		a.Expires = *in.ExpirationDate
	}
	// The bounds are documented, the error's code is not.
	if !a.Expires.After(now) || a.Expires.After(now.Add(maxActivationLife)) {
		return nil, service.ValidationError("Value '%s' at 'expirationDate' failed to satisfy constraint: the expiration date must be in the future and at most 30 days away", a.Expires.UTC().Format(time.RFC3339))
	}
	a.Tags, err = tagMap(nil, in.Tags)
	return a, err
}

// deleteActivation lets no more machines register. Those that have stay.
func (r *Region) deleteActivation(req *service.Request, in *sdk.DeleteActivationInput) (*sdk.DeleteActivationOutput, error) {
	id := aws.ToString(in.ActivationId)
	if activationIDPattern.Check(id) != nil {
		return nil, invalid("InvalidActivationId", "The activation ID %q is not valid. Verify that you entered the correct ActivationId and try again.", id)
	}
	return &sdk.DeleteActivationOutput{}, r.update(req.Now, func(s *State) error {
		if _, ok := s.activations.Get(id); !ok {
			return InvalidActivation()
		}
		s.activations = s.activations.Without(id)
		return nil
	})
}

func (r *Region) deregisterManagedInstance(req *service.Request, in *sdk.DeregisterManagedInstanceInput) (*sdk.DeregisterManagedInstanceOutput, error) {
	id := aws.ToString(in.InstanceId)
	if err := managedInstancePattern.Check(id); err != nil {
		return nil, err
	}
	err := r.update(req.Now, func(*State) error {
		if _, ok := r.hybridNode(id); !ok {
			return InvalidInstance(id)
		}
		r.Fleet.Remove(id)
		return nil
	})
	if err == nil {
		r.Deregistered(id)
	}
	return &sdk.DeregisterManagedInstanceOutput{}, err
}
