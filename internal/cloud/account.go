package cloud

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// Account is one AWS account. Safe for concurrent use.
type Account struct {
	id        string
	options   PoolOptions
	ownership Ownership
	mirror    *Mirror
	// limiters by service; the map itself never changes.
	limiters map[string]*limiter
	// writes keeps two writes to one policy from overlapping: the mirror could
	// not know which of them took effect last.
	writes *keyedLocks
	// identifying keeps many callers from all asking STS at once.
	identifying *keyedLocks

	mu      sync.Mutex
	clients *clients
	// quotas as last read; nil before.
	quotas *Quotas
}

// The services called, as IAM actions spell them.
const (
	serviceIAM = "iam"
	serviceSTS = "sts"
	serviceSSM = "ssm"
	serviceEC2 = "ec2"
	// serviceLogs is CloudWatch Logs.
	serviceLogs = "logs"
	serviceS3   = "s3"
	serviceKMS  = "kms"
)

// services are all of them.
var services = []string{serviceIAM, serviceSTS, serviceSSM, serviceEC2, serviceLogs, serviceS3, serviceKMS}

func newAccount(id string, options PoolOptions) *Account {
	a := &Account{
		id:          id,
		options:     options,
		ownership:   Ownership{OwnerID: options.OwnerID},
		limiters:    map[string]*limiter{},
		writes:      newKeyedLocks(),
		identifying: newKeyedLocks(),
	}
	for _, service := range services {
		a.limiters[service] = newLimiter(options.Rate, options.Burst)
	}
	a.mirror = newMirror(a.ownership, options.Clock, func(ctx context.Context) (bulkReader, error) {
		client, err := a.iam(ctx)
		if err != nil {
			return nil, err
		}
		return explainedBulk{account: a, client: client}, nil
	})
	if options.drifted != nil {
		a.mirror.drifted = func(drifts []Drift) { options.drifted(id, drifts) }
	}
	return a
}

// explainedBulk says in its errors what was attempted.
type explainedBulk struct {
	account *Account
	client  bulkReader
}

func (b explainedBulk) GetAccountAuthorizationDetails(
	ctx context.Context, input *iam.GetAccountAuthorizationDetailsInput, options ...func(*iam.Options),
) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	if b.account.options.decoding != nil {
		options = append(options, b.account.options.decoding.option)
	}
	page, err := b.client.GetAccountAuthorizationDetails(ctx, input, options...)
	return page, b.account.explain(err, "reading what IAM holds")
}

// configure makes new clients when the way to the account changed.
func (a *Account) configure(config Config) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.clients == nil || a.clients.config != config {
		a.clients = newClients(a, config, a.clients)
	}
}

func (a *Account) current() *clients {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.clients
}

// ID of the account, twelve digits.
func (a *Account) ID() string { return a.id }

// Mirror of what the account's IAM holds.
func (a *Account) Mirror() *Mirror { return a.mirror }

// Rates are the requests a second that are admitted at present, by service.
func (a *Account) Rates() map[string]float64 {
	rates := map[string]float64{}
	for service, limiter := range a.limiters {
		rates[service] = limiter.rate()
	}
	return rates
}

// explain returns an error that says what was attempted, where and with which
// identity.
func (a *Account) explain(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{
		Attempted: fmt.Sprintf(format, args...),
		AccountID: a.id,
		Identity:  a.current().knownIdentity().ARN,
		Err:       err,
	}
}
