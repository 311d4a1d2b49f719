// Package kms is the customer managed keys of one account in one region, as far
// as KMS describes them.
package kms

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// Key is a customer managed key. It is immutable: a change replaces it.
type Key struct {
	ID, ARN, AccountID, Description, State string
	Created                                time.Time
	// Aliases begin with "alias/".
	Aliases []string
	// Policy is the key policy as it was written, Parsed as it is evaluated.
	Policy string
	Parsed *authz.Document
}

// Region is the keys of one account in one region. It is safe for concurrent
// use.
type Region struct {
	service.Scope
	now func() time.Time

	mu   sync.RWMutex
	keys ordered.Map[*Key]
}

// NewRegion returns a region without keys.
func NewRegion(scope service.Scope, now func() time.Time) *Region {
	return &Region{Scope: scope, now: now, keys: ordered.New[*Key]()}
}

// Load puts the keys of a fixture into the region.
func (r *Region) Load(keys []fixtures.Key) error {
	for _, f := range keys {
		k := &Key{
			ID: f.ID, ARN: r.ARN("kms", "key/"+f.ID), AccountID: r.AccountID, Description: f.Description, State: f.State,
			Created: r.now(), Aliases: slices.Clone(f.Aliases), Policy: fixtures.Text(f.Policy),
		}
		if k.State == "" {
			k.State = "Enabled"
		}
		if len(f.Policy) == 0 {
			k.Policy = r.defaultPolicy()
		}
		if err := k.parse(); err != nil {
			return err
		}
		r.mu.Lock()
		r.keys = r.keys.With(k.ID, k)
		r.mu.Unlock()
	}
	return nil
}

func (k *Key) parse() error {
	parsed, err := authz.ParseResource([]byte(k.Policy))
	if err != nil {
		return fmt.Errorf("the policy of key %s: %w", k.ID, err)
	}
	k.Parsed = parsed
	return nil
}

// defaultPolicy is the one that KMS gives to a new key.
func (r *Region) defaultPolicy() string {
	return `{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:` +
		r.Partition + `:iam::` + r.AccountID + `:root"},"Action":"kms:*","Resource":"*"}]}`
}

// Key finds a key by its id, its ARN, an alias or the ARN of an alias.
func (r *Region) Key(ref string) (*Key, bool) {
	r.mu.RLock()
	keys := r.keys
	r.mu.RUnlock()
	ref = strings.TrimPrefix(ref, r.ARN("kms", ""))
	if k, ok := keys.Get(strings.TrimPrefix(ref, "key/")); ok {
		return k, true
	}
	for k := range keys.Values() {
		if slices.Contains(k.Aliases, ref) {
			return k, true
		}
	}
	return nil, false
}

// SetPolicy replaces a key's policy.
func (r *Region) SetPolicy(ref, policy string) error {
	return r.Change(ref, func(k *Key) { k.Policy = policy })
}

// Change replaces a key by a copy that change has changed.
func (r *Region) Change(ref string, change func(*Key)) error {
	k, ok := r.Key(ref)
	if !ok {
		return fmt.Errorf("there is no key %s", ref)
	}
	next := *k
	change(&next)
	if err := next.parse(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = r.keys.With(next.ID, &next)
	return nil
}
