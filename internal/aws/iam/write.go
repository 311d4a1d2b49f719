package iam

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
)

// writer writes to one of the operator's policies while it holds the policy's
// lock.
type writer struct {
	account *Account
	client  *iam.Client
	name    string
	arn     string
}

// write runs do with a writer for the policy. Every write passes through it, so
// that it can reject writes to policies that the operator does not own.
func (a *Account) write(ctx context.Context, name string, do func(*writer) error) error {
	if !a.ownership.ownsName(name) {
		return &NotOwnedError{Name: name}
	}
	unlock, err := a.writes.lock(ctx, nameKey(name))
	if err != nil {
		return a.Explain(err, "waiting for another write to policy %q", name)
	}
	defer unlock()
	client, err := a.client(ctx)
	if err != nil {
		return err
	}
	return do(&writer{account: a, client: client, name: name, arn: a.cache.ARN(name)})
}

// send makes one write and returns its possible effect.
func (w *writer) send(call func(watched func(*iam.Options)) error) (outcome, error) {
	var e awsclient.WriteEffect
	o := outcome{began: w.account.cache.now()}
	err := call(e.IAM)
	o.ended, o.acked, o.unknown = w.account.cache.now(), err == nil, e.Unknown()
	return o, err
}

// note writes an outcome through to the cache, unless the write certainly had
// no effect.
func (w *writer) note(o outcome, change func(*policy)) {
	if o.acked || o.unknown {
		w.account.cache.record(w.name, change)
	}
}

// known is what the cache holds of the policy.
func (w *writer) known() policy { return w.account.cache.peek(w.name) }

// look reads the policy into the cache again.
func (w *writer) look(ctx context.Context) error {
	return w.account.readPolicy(ctx, w.client, w.name)
}

// gone explains a NoSuchEntity about the policy itself: either IAM does not show yet
// what this process has just created, or someone else deleted the policy.
func (w *writer) gone(ctx context.Context) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	if w.known().presence == Absent {
		return &PolicyGoneError{Name: w.name}
	}
	return &SettlingError{Name: w.name}
}

// keyedLocks is a lock for every key in use.
type keyedLocks struct {
	mu   sync.Mutex
	held map[string]*keyedLock
}

type keyedLock struct {
	token chan struct{}
	users int
}

func newKeyedLocks() *keyedLocks { return &keyedLocks{held: map[string]*keyedLock{}} }

// lock takes the lock of the key, or gives up when the context ends.
func (l *keyedLocks) lock(ctx context.Context, key string) (unlock func(), err error) {
	l.mu.Lock()
	k := l.held[key]
	if k == nil {
		k = &keyedLock{token: make(chan struct{}, 1)}
		l.held[key] = k
	}
	k.users++
	l.mu.Unlock()

	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.users--; k.users == 0 {
			delete(l.held, key)
		}
	}
	select {
	case k.token <- struct{}{}:
		return func() { <-k.token; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
