package cloud

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
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
func (a *Account) Activations(ctx context.Context, region string) ([]Activation, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return nil, err
	}
	var activations []Activation
	pages := ssm.NewDescribeActivationsPaginator(clients.ssmIn(region), &ssm.DescribeActivationsInput{MaxResults: aws.Int32(activationPage)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, a.explain(err, "listing the activations in %s", region)
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
		Tags: ssmTagMap(a.Tags),
	}
}

// DeleteActivation keeps more machines from registering with an activation.
// Those that have stay registered. One that is gone is fine. One call.
func (a *Account) DeleteActivation(ctx context.Context, region, id string) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	_, err = clients.ssmIn(region).DeleteActivation(ctx, &ssm.DeleteActivationInput{ActivationId: &id})
	if Classify(err) == Missing {
		return nil
	}
	return a.explain(err, "deleting activation %s in %s", id, region)
}

func ssmTagMap(tags []types.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, tag := range tags {
		m[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return m
}
