package awsclient

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

const (
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

var errNoCredentials = errors.New("the configuration has none")

// credentialsSource returns the credentials of one role and external id, or the
// operator's own, and says so in its errors when there are none.
type credentialsSource struct {
	provider aws.CredentialsProvider
	// cache of an assumed role; nil for the operator's own credentials.
	cache *aws.CredentialsCache

	mu       sync.Mutex
	rejected time.Time
}

func newCredentials(c *Clients, ownerID string) *credentialsSource {
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
		return aws.Credentials{}, &awserr.CredentialsError{Err: errNoCredentials}
	}
	credentials, err := s.provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, &awserr.CredentialsError{Err: err}
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
