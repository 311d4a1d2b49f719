package principal

import (
	"context"
	"fmt"
	"sync"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

// locks keep the two lanes off the same principal: one lock for each principal
// that is worked on. Principals share none, so that none waits for another.
type locks struct {
	mu   sync.Mutex
	held map[grants.PrincipalKey]*lock
}

type lock struct {
	token chan struct{}
	users int
}

// lock waits for the lock of a principal, or gives up when the context ends.
func (l *locks) lock(ctx context.Context, key grants.PrincipalKey) (unlock func(), err error) {
	k := l.enter(key)
	select {
	case k.token <- struct{}{}:
		return func() { <-k.token; l.leave(key, k) }, nil
	case <-ctx.Done():
		l.leave(key, k)
		return nil, fmt.Errorf("wait for the other lane to finish with %s: %w", key, ctx.Err())
	}
}

func (l *locks) enter(key grants.PrincipalKey) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = map[grants.PrincipalKey]*lock{}
	}
	if l.held[key] == nil {
		l.held[key] = &lock{token: make(chan struct{}, 1)}
	}
	l.held[key].users++
	return l.held[key]
}

func (l *locks) leave(key grants.PrincipalKey, k *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.held, key)
	}
}
