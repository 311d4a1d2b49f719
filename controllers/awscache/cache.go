package awscache

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// failurePause is how long an error is the answer, so that many objects do not
// ask an AWS that fails, each for itself.
const failurePause = time.Minute

// Cache answers a question about an account from what was read since its last
// resync, and reads otherwise. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	clock clock.PassiveClock
	read  func(ctx context.Context, account accounts.Entry, key K) (V, error)

	mu     sync.Mutex
	rounds map[string]*round[K, V] // by account id
}

// round is what was read between two resyncs of an account.
type round[K comparable, V any] struct {
	resync  time.Time
	answers map[K]*answer[V]
}

type answer[V any] struct {
	// mu is held during the call to AWS, so that others wait for the answer.
	mu    sync.Mutex
	known bool
	until time.Time // of an error; zero: until the next resync
	value V
	err   error
}

// NewCache returns a Once that asks AWS with read.
func NewCache[K comparable, V any](clk clock.PassiveClock, read func(ctx context.Context, account accounts.Entry, key K) (V, error)) *Cache[K, V] {
	return &Cache[K, V]{clock: clk, read: read, rounds: map[string]*round[K, V]{}}
}

// Get returns what AWS answers. It caches an error too, for a short time, unless the
// context has ended.
func (o *Cache[K, V]) Get(ctx context.Context, account accounts.Entry, key K) (V, error) {
	a := o.at(account, key)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known && (a.until.IsZero() || o.clock.Now().Before(a.until)) {
		return a.value, a.err
	}
	a.value, a.err = o.read(ctx, account, key)
	a.known = awserr.Classify(a.err) != awserr.Canceled
	a.until = time.Time{}
	if a.err != nil {
		a.until = o.clock.Now().Add(failurePause)
	}
	return a.value, a.err
}

// Put caches a value that the caller has read for another purpose.
func (o *Cache[K, V]) Put(account accounts.Entry, key K, value V) {
	a := o.at(account, key)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.value, a.err, a.known, a.until = value, nil, true, time.Time{}
}

// at finds the answer of this round. A new round forgets the one before.
func (o *Cache[K, V]) at(account accounts.Entry, key K) *answer[V] {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.rounds[account.AccountID]
	if r == nil || !r.resync.Equal(account.NextResync) {
		r = &round[K, V]{resync: account.NextResync, answers: map[K]*answer[V]{}}
		o.rounds[account.AccountID] = r
	}
	a := r.answers[key]
	if a == nil {
		a = &answer[V]{}
		r.answers[key] = a
	}
	return a
}
