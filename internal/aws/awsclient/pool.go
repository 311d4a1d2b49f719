package awsclient

import (
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-logr/logr"
)

// ConsistencyWindow is how long after a write AWS may still answer reads with
// what was before, and how long a write whose answer was lost may still take
// effect and show. AWS names no figure; a minute is several times what is
// observed.
const ConsistencyWindow = time.Minute

// DefaultAttemptTimeout is the ceiling for one request and its answer. The
// largest answers, pages of the bulk read of IAM, take some seconds.
const DefaultAttemptTimeout = 30 * time.Second

// Options is what all accounts have in common.
type Options struct {
	// Base is the configuration that the SDK loaded (config.LoadDefaultConfig):
	// the operator's own credentials, endpoints, HTTP client.
	Base aws.Config
	// OwnerID is the id of this installation. Required.
	OwnerID string
	// Rate of requests a second, per account, service and region; default DefaultRate.
	Rate float64
	// Burst of requests, per account, service and region; default DefaultBurst.
	Burst int
	// AttemptTimeout is the ceiling for one request, waiting for the limiter
	// not included; default DefaultAttemptTimeout.
	AttemptTimeout time.Duration
	// OnCall, when set, receives every finished call. It must not block.
	OnCall func(Call)
	// Logger gets a line a call at V(1), with AWS's request id, unless the
	// call's context carries a logger.
	Logger logr.Logger

	// guards are asked before each write: see Pool.Guard.
	guards []Guard
}

// Call is one finished call of an AWS operation, its retries included.
type Call struct {
	AccountID string
	// Service as in IAM actions: "iam", "sts", "ssm", "ec2", "logs", "s3", "kms".
	Service string
	// Operation such as "CreatePolicyVersion".
	Operation string
	// Code is AWS's error code; "" on success; the class where no answer came.
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
	// Region for IAM and STS, which also determines the partition.
	Region string
}

// Pool holds one Account per account id. Safe for concurrent use.
type Pool struct {
	options Options

	mu       sync.Mutex
	accounts map[string]*Account
}

// NewPool makes an empty pool.
func NewPool(options Options) *Pool {
	if options.Rate <= 0 {
		options.Rate = DefaultRate
	}
	if options.Burst <= 0 {
		options.Burst = DefaultBurst
	}
	if options.AttemptTimeout <= 0 {
		options.AttemptTimeout = DefaultAttemptTimeout
	}
	if options.Logger.GetSink() == nil {
		options.Logger = logr.Discard()
	}
	options.Base.HTTPClient = wholeAnswer{withPlainBody(options.Base.HTTPClient)}
	return &Pool{options: options, accounts: map[string]*Account{}}
}

// Guard adds a guard, which every write has to pass from then on. It is called
// before the first Account.
func (p *Pool) Guard(guard Guard) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.options.guards = append(slices.Clip(p.options.guards), guard)
}

// OwnerID is the id of this installation.
func (p *Pool) OwnerID() string { return p.options.OwnerID }

// Account returns the account of that id. It is the same one every time, with
// the same limiters; when the role, the external id or the region differ from the
// last time, it calls with new clients from then on.
func (p *Pool) Account(config Config) *Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	account := p.accounts[config.AccountID]
	if account == nil {
		account = newAccount(config.AccountID, p.options)
		p.accounts[config.AccountID] = account
	}
	account.configure(config)
	return account
}

// Forget drops an account and its clients.
func (p *Pool) Forget(accountID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.accounts, accountID)
}
