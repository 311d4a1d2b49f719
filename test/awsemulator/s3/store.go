// Package s3 is the buckets of all accounts, as far as S3 describes their
// settings. All accounts share the names of buckets.
package s3

import (
	"fmt"
	"strings"
	"sync"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// Bucket is a bucket. It is immutable: a change replaces it.
type Bucket struct {
	service.Scope
	Name string
	// Encryption is AES256, aws:kms or empty without a setting. KeyARN is the
	// key's of aws:kms.
	Encryption, KeyARN string
	// Policy is the bucket policy as it was written, empty without one; Parsed is
	// as it is evaluated.
	Policy string
	Parsed *authz.Document
}

// ARN is the bucket's.
func (b *Bucket) ARN() string { return "arn:" + b.Partition + ":s3:::" + b.Name }

// Store is all buckets. It is safe for concurrent use.
type Store struct {
	mu      sync.RWMutex
	buckets ordered.Map[*Bucket]
}

// NewStore returns a store without buckets.
func NewStore() *Store { return &Store{buckets: ordered.New[*Bucket]()} }

// Load puts the buckets of a fixture, which are in one account and region,
// into the store.
func (s *Store) Load(scope service.Scope, buckets []fixtures.Bucket) error {
	for _, f := range buckets {
		if _, ok := s.Bucket(f.Name); ok {
			return fmt.Errorf("the bucket %s is there twice", f.Name)
		}
		b := &Bucket{Scope: scope, Name: f.Name, Encryption: f.Encryption, KeyARN: f.Key}
		if f.Key != "" && !strings.HasPrefix(f.Key, "arn:") {
			b.KeyARN = scope.ARN("kms", "key/"+f.Key)
		}
		if len(f.Policy) > 0 {
			b.Policy = fixtures.Text(f.Policy)
		}
		if err := s.Put(b); err != nil {
			return err
		}
	}
	return nil
}

// Bucket finds a bucket by its name.
func (s *Store) Bucket(name string) (*Bucket, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.buckets.Get(name)
}

// Put adds a bucket or replaces it.
func (s *Store) Put(b *Bucket) error {
	if b.Policy == "" {
		b.Parsed = nil
	} else {
		parsed, err := authz.ParseResource([]byte(b.Policy))
		if err != nil {
			return fmt.Errorf("the policy of bucket %s: %w", b.Name, err)
		}
		b.Parsed = parsed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets = s.buckets.With(b.Name, b)
	return nil
}

// Change replaces a bucket by a copy that change has changed.
func (s *Store) Change(name string, change func(*Bucket)) error {
	b, ok := s.Bucket(name)
	if !ok {
		return fmt.Errorf("there is no bucket %s", name)
	}
	next := *b
	change(&next)
	return s.Put(&next)
}

// Remove takes a bucket away.
func (s *Store) Remove(name string) error {
	if _, ok := s.Bucket(name); !ok {
		return fmt.Errorf("there is no bucket %s", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets = s.buckets.Without(name)
	return nil
}
