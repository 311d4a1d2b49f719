package cloud

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
)

// ConsistencyWindow is how long after a write IAM may still answer reads with
// what was before, and how long a write whose answer was lost may still take
// effect. AWS names no figure; a minute is several times what is observed.
const ConsistencyWindow = time.Minute

// PoolOptions is what all accounts have in common.
type PoolOptions struct {
	// Base is the configuration that the SDK loaded (config.LoadDefaultConfig):
	// the operator's own credentials, endpoints, HTTP client.
	Base aws.Config
	// OwnerID is the id of this installation: see Ownership. Required.
	OwnerID string
	// Rate of requests a second, per account and service; default DefaultRate.
	Rate float64
	// Burst of requests, per account and service; default DefaultBurst.
	Burst int
	// Clock measures the consistency window; default the real one. The
	// limiter always runs on real time.
	Clock clock.PassiveClock
	// OnCall, when set, is told of every finished call. It must not block.
	OnCall func(Call)
	// Logger gets a line a call at V(1), with AWS's request id.
	Logger logr.Logger
}

// Call is one finished call of an AWS operation, its retries included.
type Call struct {
	AccountID string
	// Service as in IAM actions: "iam", "sts", "ssm", "ec2".
	Service string
	// Operation such as "CreatePolicyVersion".
	Operation string
	// Code is AWS's error code; "" on success; the Class where no answer came.
	Code string
	// Duration includes waiting for the limiter and the pauses between attempts.
	Duration time.Duration
	// Attempts is the number of requests sent.
	Attempts int
}

// Config is how one account is reached.
type Config struct {
	// AccountID of twelve digits.
	AccountID string
	// RoleARN to assume; "": the Base credentials are used as they are.
	RoleARN string
	// ExternalID to present when assuming the role; may be "".
	ExternalID string
	// Region for IAM and STS, which also tells the partition.
	Region string
}
