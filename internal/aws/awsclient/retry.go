package awsclient

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// How a call is retried. Every figure is set here, because releases of the SDK change
// its defaults: v1.48.0 cut the delays after a 5xx from seconds to 50 and 100
// milliseconds, and the retries of a client from 100 to 35.
const (
	// maxAttempts of one call.
	maxAttempts = 3
	// maxRetryDelay bounds the delay before an attempt. The delay is drawn at random
	// from zero to 2 seconds before the second attempt, and to 4 before the third.
	maxRetryDelay = 20 * time.Second
	// retryTokens and retryCost bound the retries of one client: it has a token
	// bucket, a retry takes retryCost from it, whatever the error, and gives that back
	// once an attempt succeeds.
	retryTokens uint = 500
	retryCost   uint = 5
	// firstAttemptTokens is what a call adds to the bucket whose first attempt succeeds.
	firstAttemptTokens uint = 1
)

// NewRetryer makes the retryer of one client. The work queues back off on their own
// once it gives up.
func NewRetryer() aws.Retryer { return retry.NewStandard(retryOptions) }

func retryOptions(o *retry.StandardOptions) {
	o.MaxAttempts = maxAttempts
	o.MaxBackoff = maxRetryDelay
	o.Backoff = retry.NewExponentialJitterBackoff(maxRetryDelay)
	o.RateLimiter = ratelimit.NewTokenRateLimit(retryTokens)
	o.RetryCost, o.ThrottlingRetryCost, o.NoRetryIncrement = retryCost, retryCost, firstAttemptTokens
	o.Retryables = append(slices.Clone(o.Retryables), retry.RetryableErrorCode{Codes: awserr.ConflictingWrites})
	o.Throttles = append(slices.Clone(o.Throttles), retry.ThrottleErrorCode{Codes: awserr.ConflictingWrites})
}
