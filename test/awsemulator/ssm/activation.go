package ssm

import (
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// ServiceRole is a role as an activation sees it.
type ServiceRole struct {
	ARN string
	// Context holds its tags as condition keys.
	Context authz.Context
	// Trusts means that the role exists and lets Systems Manager assume it.
	Trusts bool
}

// Activation lets machines register as managed nodes. It is immutable.
type Activation struct {
	ID string
	// Code is what machines show. No call but the creation answers it.
	Code                    string
	Role, Name, Description string
	Limit, Registered       int32
	Created, Expires        time.Time
	Tags                    map[string]string
}

// Expired reports whether the activation is too old to take more machines.
func (a *Activation) Expired(now time.Time) bool { return !now.Before(a.Expires) }

func (a *Activation) out(now time.Time) types.Activation {
	return types.Activation{
		ActivationId: aws.String(a.ID), IamRole: aws.String(a.Role), DefaultInstanceName: optional(a.Name), Description: optional(a.Description),
		RegistrationLimit: aws.Int32(a.Limit), RegistrationsCount: aws.Int32(a.Registered), CreatedDate: aws.Time(a.Created),
		ExpirationDate: aws.Time(a.Expires), Expired: a.Expired(now), Tags: tagList(a.Tags),
	}
}

// Activations yields the activations by id, without any lag.
func (r *Region) Activations() iter.Seq[*Activation] { return r.history.Latest().activations.Values() }

// Activation finds an activation by its id, without any lag.
func (r *Region) Activation(id string) (*Activation, bool) {
	return r.history.Latest().activations.Get(id)
}
