package awsclient

import (
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
)

// Clients are the SDK's clients for one way to reach an account. Each call waits
// for the account's limiter, passes the guards if it writes, and is measured.
type Clients struct {
	config      Config
	base        aws.Config
	credentials *credentialsSource
	instruments func(service string) instruments
	iam         *iam.Client
	sts         *sts.Client

	regions regionalClients

	mu sync.Mutex
	// verified is the operator's identity, once STS returned it for the right
	// account.
	verified Identity
}

// newClients makes the clients; credentials that former has for the same role
// and external id are used on.
func newClients(a *Account, config Config, former *Clients) *Clients {
	c := &Clients{config: config, base: a.options.Base.Copy()}
	c.base.Region = config.Region
	c.base.RetryMaxAttempts = 0
	c.base.Retryer = NewRetryer
	// Records hold the operator's time, and are compared with AWS's. AWS refuses a clock that
	// is too far off, unless the SDK signs with the time of AWS's last answer.
	c.base.DisableClockSkewCorrection = true
	c.instruments = func(service string) instruments {
		return instruments{
			accountID: a.id, service: service, limiterOf: a.limiterOf(service),
			timeout: a.options.AttemptTimeout, onCall: a.options.OnCall, guards: a.options.guards, logger: a.options.Logger,
			rejected: func() { c.credentials.reject() },
		}
	}
	switch {
	case former != nil && former.config.RoleARN == config.RoleARN && former.config.ExternalID == config.ExternalID:
		c.credentials = former.credentials
	default:
		c.credentials = newCredentials(c, a.options.OwnerID)
	}
	c.base.Credentials = c.credentials
	c.iam = iam.NewFromConfig(c.base, func(o *iam.Options) { c.instrument(&o.APIOptions, serviceIAM) })
	c.sts = sts.NewFromConfig(c.base, func(o *sts.Options) { c.instrument(&o.APIOptions, serviceSTS) })
	c.regions = c.newRegionalClients()
	return c
}

func (c *Clients) instrument(options *[]func(*middleware.Stack) error, service string) {
	*options = append(slices.Clone(*options), c.instruments(service).install)
}
