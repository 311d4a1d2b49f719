package ssm

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// activationPage is the most activations that SSM gives in one page.
const activationPage = 50

// Activation is a hybrid activation as DescribeActivations answers it.
type Activation struct {
	ID string
	// Role is the name of the IAM role that nodes get.
	Role                string
	DefaultInstanceName string
	Description         string
	// Limit is how many machines may register, Registered how many have.
	Limit, Registered int32
	Created, Expires  time.Time
	// Expired: no more machines may register, for the activation's age.
	Expired bool
	Tags    map[string]string
}

// Activations lists all activations of a region, also those of others and those
// that have expired. It is eventually consistent. One call for 50.
func (r Region) Activations(ctx context.Context) ([]Activation, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	var activations []Activation
	pages := ssm.NewDescribeActivationsPaginator(client, &ssm.DescribeActivationsInput{MaxResults: aws.Int32(activationPage)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.account.Explain(err, "listing the activations in %s", r.name)
		}
		for i := range page.ActivationList {
			activations = append(activations, activationOf(&page.ActivationList[i]))
		}
	}
	return activations, nil
}

func activationOf(a *types.Activation) Activation {
	return Activation{
		ID: aws.ToString(a.ActivationId), Role: aws.ToString(a.IamRole),
		DefaultInstanceName: aws.ToString(a.DefaultInstanceName), Description: aws.ToString(a.Description),
		Limit: aws.ToInt32(a.RegistrationLimit), Registered: aws.ToInt32(a.RegistrationsCount),
		Created: aws.ToTime(a.CreatedDate), Expires: aws.ToTime(a.ExpirationDate), Expired: a.Expired,
		Tags: tagsOf(a.Tags),
	}
}

// DeleteActivation keeps more machines from registering with an activation.
// Those that have stay registered. One that is gone is fine. One call.
func (r Region) DeleteActivation(ctx context.Context, id string) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	_, err = client.DeleteActivation(ctx, &ssm.DeleteActivationInput{ActivationId: &id})
	if awserr.Classify(err) == awserr.Missing {
		return nil
	}
	return r.account.Explain(err, "deleting activation %s in %s", id, r.name)
}
