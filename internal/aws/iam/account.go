package iam

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
)

// Account is the IAM of one AWS account, and the way to the account itself. Safe for
// concurrent use.
type Account struct {
	*awsclient.Account

	ownership Ownership
	cache     *Cache
	decoding  decoding
	// writes keeps two writes to one policy from overlapping: the cache could
	// not know which of them took effect last.
	writes *keyedLocks

	mu sync.Mutex
	// quotas as last read; nil before.
	quotas *Quotas
}

func newAccount(base *awsclient.Account, ownership Ownership, clk clock.PassiveClock, decoding decoding) *Account {
	a := &Account{Account: base, ownership: ownership, decoding: decoding, writes: newKeyedLocks()}
	a.cache = newCache(ownership, clk, func(ctx context.Context) (bulkReader, error) {
		client, err := a.client(ctx)
		if err != nil {
			return nil, err
		}
		return explainedBulk{account: a, client: client}, nil
	})
	base.OnIdentity(a.cache.setARNs)
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
	page, err := b.client.GetAccountAuthorizationDetails(ctx, input, append(options, b.account.decoding.option)...)
	return page, b.account.Explain(err, "reading what IAM holds")
}

// Cache is the cache of what the account's IAM holds.
func (a *Account) Cache() *Cache { return a.cache }

// client is the IAM client, once it is sure that it leads to the right account.
func (a *Account) client(ctx context.Context) (*iam.Client, error) {
	clients, err := a.Clients(ctx)
	if err != nil {
		return nil, err
	}
	return clients.IAM(), nil
}

// Pool holds one Account per account id. Safe for concurrent use.
type Pool struct {
	*awsclient.Pool

	clock clock.PassiveClock
	// decoding bounds the memory of the bulk reads of all accounts.
	decoding decoding

	mu       sync.Mutex
	accounts map[string]*Account
	// drifted receives what reads found: see OnDrift.
	drifted func(accountID string, drifts []Drift)
}

// NewPool makes an empty pool over the clients of another. The clock measures the
// consistency window; nil means the real one.
func NewPool(base *awsclient.Pool, clk clock.PassiveClock) *Pool {
	if clk == nil {
		clk = clock.RealClock{}
	}
	return &Pool{Pool: base, clock: clk, decoding: newDecoding(), accounts: map[string]*Account{}}
}

// OnDrift sets the function that receives every change that others made to the
// operator's policies, whichever read found it: a Refresh, a look at one policy,
// or what a write had to list. It must not block, and is set before the first
// Account.
func (p *Pool) OnDrift(drifted func(accountID string, drifts []Drift)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drifted = drifted
}

// Ownership returns what identifies the policies of this installation.
func (p *Pool) Ownership() Ownership { return Ownership{OwnerID: p.OwnerID()} }

// Account returns the account of that id. It is the same one every time, with
// the same cache and limiters; when the role, the external id or the region
// differ from the last time, it calls with new clients from then on.
func (p *Pool) Account(config awsclient.Config) *Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	base := p.Pool.Account(config)
	account := p.accounts[config.AccountID]
	if account == nil {
		account = newAccount(base, p.Ownership(), p.clock, p.decoding)
		if drifted := p.drifted; drifted != nil {
			account.cache.drifted = func(drifts []Drift) { drifted(config.AccountID, drifts) }
		}
		p.accounts[config.AccountID] = account
	}
	return account
}

// Forget drops an account and all that is known of it.
func (p *Pool) Forget(accountID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.accounts, accountID)
	p.Pool.Forget(accountID)
}
