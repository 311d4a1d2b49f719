package cloud

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
)

const (
	// maxAttempts of one call, as in the SDK's standard retryer.
	maxAttempts = 3
	// renewal is how long before they expire credentials are renewed.
	renewal = time.Minute
	// rejectionPause is how long credentials are kept although AWS does not
	// accept them, so that a broken role is not assumed over and over.
	rejectionPause = time.Minute
	// sessionNamePrefix identifies the operator in the account's records.
	sessionNamePrefix = "ssm-access-operator-"
	// maxSessionName is the most characters that STS takes.
	maxSessionName = 64
)

// clients are the SDK's clients for one way to reach an account.
type clients struct {
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
func newClients(a *Account, config Config, former *clients) *clients {
	c := &clients{config: config, base: a.options.Base.Copy()}
	c.base.Region = config.Region
	c.base.RetryMaxAttempts = 0
	c.base.Retryer = func() aws.Retryer { return retry.NewStandard(retryOptions) }
	c.instruments = func(service string) instruments {
		return instruments{
			accountID: a.id, service: service, limiter: a.limiters[service],
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

func retryOptions(o *retry.StandardOptions) {
	o.MaxAttempts = maxAttempts
	o.Retryables = append(slices.Clone(o.Retryables), retry.RetryableErrorCode{Codes: conflictingWrites})
}

func (c *clients) instrument(options *[]func(*middleware.Stack) error, service string) {
	*options = append(slices.Clone(*options), c.instruments(service).install)
}

// credentialsSource returns the credentials of one role and external id, or the
// operator's own, and says so in its errors when there are none.
type credentialsSource struct {
	provider aws.CredentialsProvider
	// cache of an assumed role; nil for the operator's own credentials.
	cache *aws.CredentialsCache

	mu       sync.Mutex
	rejected time.Time
}

func newCredentials(c *clients, ownerID string) *credentialsSource {
	if c.config.RoleARN == "" {
		source := &credentialsSource{provider: c.base.Credentials}
		source.cache, _ = c.base.Credentials.(*aws.CredentialsCache)
		return source
	}
	own := c.base.Copy()
	own.Credentials = &credentialsSource{provider: own.Credentials}
	client := sts.NewFromConfig(own, func(o *sts.Options) { c.instrument(&o.APIOptions, serviceSTS) })
	role := stscreds.NewAssumeRoleProvider(client, c.config.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		name := sessionNamePrefix + ownerID
		o.RoleSessionName = name[:min(len(name), maxSessionName)]
		if c.config.ExternalID != "" {
			o.ExternalID = aws.String(c.config.ExternalID)
		}
	})
	cache := aws.NewCredentialsCache(role, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewal })
	return &credentialsSource{provider: cache, cache: cache}
}

// Retrieve implements aws.CredentialsProvider.
func (s *credentialsSource) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if s.provider == nil {
		return aws.Credentials{}, &CredentialsError{Err: errNoCredentials}
	}
	credentials, err := s.provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, &CredentialsError{Err: err}
	}
	return credentials, nil
}

// reject has the next call get new credentials, but not more often than once
// in a while.
func (s *credentialsSource) reject() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cache == nil || time.Since(s.rejected) < rejectionPause {
		return
	}
	s.rejected = time.Now()
	s.cache.Invalidate()
}
