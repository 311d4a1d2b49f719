package accounts

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// Entry is a verified account.
type Entry struct {
	// Name and Generation of the AWSAccount that was verified.
	Name       string
	Generation int64
	// ConfirmedRemoval is the annotation that confirms a removal, as it was then.
	ConfirmedRemoval string
	// AccountID and Partition as AWS answered them.
	AccountID, Partition string
	// Mode of the AWSAccount: Observe as soon as it is declared, Enforce once the
	// account was verified with it.
	Mode v1alpha1.AccountMode
	// SessionTermination of the AWSAccount, and the regions whose open sessions
	// cannot be listed and never could.
	SessionTermination v1alpha1.SessionTermination
	NeverListed        map[string]bool
	// RecreatedPrincipals of the AWSAccount.
	RecreatedPrincipals v1alpha1.RecreatedPrincipals
	// Restored: a restore of the cluster may still be under way.
	Restored bool
	// Quotas as AWS reported them last.
	Quotas iam.Quotas
	// IAM is the account's IAM. Its cache is filled.
	IAM *iam.Account
	// NextResync is when the account is due to be read again.
	NextResync time.Time
	// Since is when the account was verified first since it was lost last.
	Since time.Time
}

// AWS is the way to the account in AWS.
func (e Entry) AWS() *awsclient.Account { return e.IAM.Account }

// SSM is Systems Manager in a region of the account.
func (e Entry) SSM(region string) ssm.Region { return ssm.In(e.AWS(), region) }

// Listener is called with the name of an AWSAccount after the account was verified,
// lost or read again. resync is true when only the resync interval triggered the
// call. A Listener must not block.
type Listener func(ctx context.Context, accountID, name string, resync bool)

// Registry holds the verified accounts by account id.
type Registry struct {
	// Hold is called with the id of an account that was not verified before, in the moment
	// before it is. It must neither block nor use the registry. Nil: nothing is called.
	Hold func(accountID string)

	mu        sync.RWMutex
	listeners []Listener
	entries   map[string]Entry
	// observed are the generations of AWSAccounts, by name, that declare mode
	// Observe.
	observed map[string]int64
}

// NewRegistry returns an empty registry.
func NewRegistry(listeners ...Listener) *Registry {
	return &Registry{listeners: listeners, entries: map[string]Entry{}, observed: map[string]int64{}}
}

// Get returns the verified account of an id.
func (r *Registry) Get(accountID string) (Entry, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, ok := r.entries[accountID]
	return r.declared(e), ok
}

// Declare records the mode that an AWSAccount declares, before the account is
// verified again. Verification can take long when AWS does not answer; until then
// the operator must not write anything that the declared mode forbids.
func (r *Registry) Declare(account *v1alpha1.AWSAccount) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if account.Spec.Mode == v1alpha1.ModeObserve {
		r.observed[account.Name] = account.Generation
	} else {
		delete(r.observed, account.Name)
	}
}

// Undeclare forgets what an AWSAccount said that is gone.
func (r *Registry) Undeclare(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.observed, name)
}

// declared is an entry with the mode that counts now.
func (r *Registry) declared(e Entry) Entry {
	if r.observed[e.Name] > e.Generation {
		e.Mode = v1alpha1.ModeObserve
	}
	return e
}

// All returns the verified accounts in no order.
func (r *Registry) All() []Entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := slices.Collect(maps.Values(r.entries))
	for i := range all {
		all[i] = r.declared(all[i])
	}
	return all
}

// MayWrite is a awsclient.Guard: only a verified account is written to, and none in
// mode Observe.
func (r *Registry) MayWrite(accountID string) error {
	switch entry, ok := r.Get(accountID); {
	case !ok:
		return errNotVerified
	case entry.Mode == v1alpha1.ModeObserve:
		return errObserved
	default:
		return nil
	}
}

var (
	errNotVerified = errors.New("the account is not verified, or not any more")
	errObserved    = errors.New("the account is in mode Observe")
)

// Put records a verified account.
func (r *Registry) Put(ctx context.Context, e Entry) {
	r.mu.Lock()
	before, had := r.entries[e.AccountID]
	if !had && r.Hold != nil {
		r.Hold(e.AccountID)
	}
	if had && before.Name == e.Name {
		e.Since = before.Since
	}
	r.entries[e.AccountID] = e
	r.mu.Unlock()
	r.notify(ctx, e.AccountID, e.Name, had && before.Generation == e.Generation && before.Name == e.Name)
}

// Remove forgets the account that was registered under an AWSAccount, if any.
func (r *Registry) Remove(ctx context.Context, name string) {
	var lost []string
	r.mu.Lock()
	for id, e := range r.entries {
		if e.Name == name {
			delete(r.entries, id)
			lost = append(lost, id)
		}
	}
	r.mu.Unlock()
	for _, id := range lost {
		r.notify(ctx, id, name, false)
	}
}

func (r *Registry) notify(ctx context.Context, accountID, name string, resync bool) {
	for _, listener := range r.listeners {
		listener(ctx, accountID, name, resync)
	}
}
