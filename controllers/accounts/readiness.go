package accounts

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// CheckName is the check's name under /readyz.
const CheckName = "accounts"

// readinessTimeout bounds one check; probes come again.
const readinessTimeout = 500 * time.Millisecond

// Readiness records which accounts have been checked. An account counts whether it
// was verified or found unusable: one broken account must not keep the process
// unready for ever. Once ready, the process stays ready: conditions report what
// happens later.
type Readiness struct {
	scope   Shard
	cache   cache.Cache
	elected <-chan struct{}

	judged sync.Map // names of AWSAccounts
	ready  atomic.Bool
}

// NewReadiness registers the check with the manager, and has its caches filled before it
// leads.
func NewReadiness(ctx context.Context, mgr ctrl.Manager, s Shard) (*Readiness, error) {
	r := &Readiness{scope: s, cache: mgr.GetCache(), elected: mgr.Elected()}
	for _, kind := range []client.Object{&v1alpha1.AWSAccount{}, &corev1.Namespace{}} {
		if _, err := r.cache.GetInformer(ctx, kind, cache.BlockUntilSynced(false)); err != nil {
			return nil, fmt.Errorf("watch %Ts: %w", kind, err)
		}
	}
	return r, mgr.AddReadyzCheck(CheckName, r.Check)
}

// Judged records that an AWSAccount was verified or found unusable.
func (r *Readiness) Judged(account string) { r.judged.Store(account, nil) }

// Check implements healthz.Checker.
func (r *Readiness) Check(req *http.Request) error {
	if r.ready.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(req.Context(), readinessTimeout)
	defer cancel()
	if !r.cache.WaitForCacheSync(ctx) {
		return fmt.Errorf("the caches are not filled yet")
	}
	select {
	case <-r.elected:
	default:
		return nil // Another one works. This one is ready to take over.
	}
	var all v1alpha1.AWSAccountList
	if err := r.cache.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the AWSAccounts: %w", err)
	}
	for i := range all.Items {
		account := &all.Items[i]
		if !account.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(account, v1alpha1.Finalizer) {
			continue // It is released, and another controller's finalizer keeps it.
		}
		if _, ok := r.judged.Load(account.Name); !ok && r.scope.Selects(account) {
			return fmt.Errorf("AWSAccount %q was not looked at yet", account.Name)
		}
	}
	r.ready.Store(true)
	return nil
}
