// Package lease reports whether this process is still the leader. The leader
// elector stops a process that lost its lease, but only when it notices. After a
// pause of the machine, a stale leader would write until that moment.
package lease

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
)

// Times of the election. Another process takes over at the earliest Duration
// after it saw the last renewal. This process counts a renewal for RenewDeadline
// from before it was sent. The difference is for the request that is in progress
// by then.
const (
	Duration      = 15 * time.Second
	RenewDeadline = 10 * time.Second
	RetryPeriod   = 2 * time.Second
)

// namespaceFile holds the namespace of the pod.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// ErrNotHeld means that this process does not hold the lease at this moment.
var ErrNotHeld = errors.New("this process does not hold the lease")

// Lock is a lock that remembers when this process last renewed it. Safe for
// concurrent use.
type Lock struct {
	resourcelock.Interface
	clock clock.PassiveClock

	mu      sync.Mutex
	renewed time.Time // zero: not held
}

// Watch remembers the renewals of a lock.
func Watch(lock resourcelock.Interface, clock clock.PassiveClock) *Lock {
	return &Lock{Interface: lock, clock: clock}
}

// New makes a lock on a Lease of that name. namespace is empty for the pod's own.
func New(config *rest.Config, namespace, name string) (*Lock, error) {
	if namespace == "" {
		own, err := os.ReadFile(namespaceFile)
		if err != nil {
			return nil, fmt.Errorf("find the pod's namespace for the lease; outside of a cluster give --leader-election-namespace: %w", err)
		}
		namespace = strings.TrimSpace(string(own))
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find the host name for the lease: %w", err)
	}
	inner, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, namespace, name,
		resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())}, config, RenewDeadline)
	if err != nil {
		return nil, fmt.Errorf("make the lock on lease %s/%s: %w", namespace, name, err)
	}
	return Watch(inner, clock.RealClock{}), nil
}

// Create implements resourcelock.Interface.
func (l *Lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	began := l.clock.Now()
	err := l.Interface.Create(ctx, record)
	l.note(record, began, err)
	return err
}

// Update implements resourcelock.Interface.
func (l *Lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	began := l.clock.Now()
	err := l.Interface.Update(ctx, record)
	l.note(record, began, err)
	return err
}

// note takes a renewal into account. Giving the lease back counts even where the
// answer was lost.
func (l *Lock) note(record resourcelock.LeaderElectionRecord, began time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case record.HolderIdentity != l.Identity():
		l.renewed = time.Time{}
	case err == nil:
		l.renewed = began
	}
}

// Held is nil while the last renewal counts, and ErrNotHeld otherwise.
func (l *Lock) Held() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.renewed.IsZero() || l.clock.Since(l.renewed) >= RenewDeadline {
		return ErrNotHeld
	}
	return nil
}
