package awsclient

import (
	"fmt"
	"maps"
	"sync"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// Account is the way to one AWS account: its clients and limiters. Safe for
// concurrent use.
type Account struct {
	id      string
	options Options
	// identifying holds a token while a caller asks STS, so that many callers do
	// not all ask at once.
	identifying chan struct{}

	mu         sync.Mutex
	limiters   map[limited]*limiter
	clients    *Clients
	onIdentity []func(Identity)
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
	// serviceRAM is Resource Access Manager.
	serviceRAM = "ram"
	// simulations is what the limiter of IAM's policy simulator is called. They only
	// serve statuses, and must not slow down what IAM is asked and told otherwise.
	simulations = "iam-simulation"
)

// simulationShare is the share of the rate and of the burst that simulations have.
const simulationShare = 1.0 / 10

// services are all of them.
var services = []string{serviceIAM, serviceSTS, serviceSSM, serviceEC2, serviceLogs, serviceS3, serviceKMS, serviceRAM}

func newAccount(id string, options Options) *Account {
	return &Account{id: id, options: options, limiters: map[limited]*limiter{}, identifying: make(chan struct{}, 1)}
}

// limited is what AWS limits the requests of: a service in a region.
type limited struct{ service, region string }

// limiterOf returns which limiter the requests of a service wait for, by operation and
// region.
func (a *Account) limiterOf(service string) func(operation, region string) *limiter {
	return func(operation, region string) *limiter {
		if service == serviceIAM && operation == "SimulatePrincipalPolicy" {
			return a.limiter(limited{simulations, region}, simulationShare)
		}
		return a.limiter(limited{service, region}, 1)
	}
}

func (a *Account) limiter(of limited, share float64) *limiter {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limiters[of] == nil {
		a.limiters[of] = newLimiter(a.options.Rate*share, max(1, int(float64(a.options.Burst)*share)))
	}
	return a.limiters[of]
}

// configure makes new clients when the way to the account changed.
func (a *Account) configure(config Config) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.clients == nil || a.clients.config != config {
		a.clients = newClients(a, config, a.clients)
	}
}

func (a *Account) current() *Clients {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.clients
}

// ID of the account, twelve digits.
func (a *Account) ID() string { return a.id }

// Rates are the requests a second that are admitted at present, by service, and those of
// IAM's policy simulator: in the region where they are fewest.
func (a *Account) Rates() map[string]float64 {
	a.mu.Lock()
	limiters := maps.Clone(a.limiters)
	a.mu.Unlock()
	rates := map[string]float64{simulations: a.options.Rate * simulationShare}
	for _, service := range services {
		rates[service] = a.options.Rate
	}
	for of, limiter := range limiters {
		rates[of.service] = min(rates[of.service], limiter.rate())
	}
	return rates
}

// Explain returns an error that says what was attempted, where and with which
// identity; nil for nil.
func (a *Account) Explain(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &awserr.Error{
		Attempted: fmt.Sprintf(format, args...),
		AccountID: a.id,
		Identity:  a.current().knownIdentity().ARN,
		Err:       err,
	}
}
