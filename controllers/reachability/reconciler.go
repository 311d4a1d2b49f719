// Package reachability looks, account by account, whether sessions reach the
// nodes of the SessionAccesses in force, and what keeps them from it. What it
// finds goes to the store in package targets. It reads only, after everything
// else: at resync priority.
package reachability

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/index"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/registry"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/targets"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/survey"
)

// staleAfter is after how many resync intervals without a look what was found
// before does not hold any more.
const staleAfter = 3

// Round is one look at an account.
type Round struct {
	AccountID string
	// New: only at what was not looked at as it is declared now.
	New bool
}

// Reconciler looks at one account at a time.
type Reconciler struct {
	Client   client.Client
	Clock    clock.PassiveClock
	Accounts *registry.Registry
	Reports  *targets.Store
	// ResyncInterval is how often every account is looked at.
	ResyncInterval time.Duration

	mu sync.Mutex
	// looked is when an account could be looked at last, or was tried to first.
	looked map[string]time.Time
	// crowded: the last look at what is new had much to look at.
	crowded atomic.Bool
	// memories of the surveys, by account. One worker alone uses them.
	memories map[string]*survey.Memory
}

// Reconcile looks at the nodes of an account and judges them for each
// SessionAccess. Where AWS does not answer, what was found before stays for some
// time.
func (r *Reconciler) Reconcile(ctx context.Context, round Round) (ctrl.Result, error) {
	accesses, err := r.accesses(ctx, round)
	if round.New {
		r.crowded.Store(len(accesses) > crowd)
	}
	if err != nil || len(accesses) == 0 {
		return lifecycle.Result(lifecycle.PriorityResync, 0, err)
	}
	account, ok := r.Accounts.Get(round.AccountID)
	if !ok {
		return lifecycle.Result(lifecycle.PriorityResync, r.age(round.AccountID, accesses), nil)
	}
	request := requestOf(account, accesses)
	request.Memory, request.Partial = r.memory(round.AccountID), round.New
	taken, err := survey.Take(cloud.WithPriority(ctx, cloud.Resync), account.Cloud, r.Clock.Now(), request)
	if err != nil {
		log.FromContext(ctx).Info("The nodes of the account cannot be looked at", "account", round.AccountID, "error", err.Error())
		return lifecycle.Result(lifecycle.PriorityResync, r.age(round.AccountID, accesses), lifecycle.Retry(err))
	}
	r.fresh(round.AccountID)
	judging := judgingOf(taken)
	for _, access := range accesses {
		r.Reports.Put(access.UID, client.ObjectKeyFromObject(access), r.kept(access.UID, judging.access(access)))
	}
	return lifecycle.Result(lifecycle.PriorityResync, 0, nil)
}

// accesses lists the objects whose access is in force in the account, or only
// those that are new.
func (r *Reconciler) accesses(ctx context.Context, round Round) ([]*v1alpha1.SessionAccess, error) {
	var all v1alpha1.SessionAccessList
	// They are read only, and one at a time.
	if err := r.Client.List(ctx, &all, index.OfAccountID(round.AccountID), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the SessionAccesses in account %s: %w", round.AccountID, err)
	}
	live := make([]*v1alpha1.SessionAccess, 0, len(all.Items))
	for i := range all.Items {
		access := &all.Items[i]
		granted := grantOf(access)
		if granted == nil || granted.AccountID != round.AccountID {
			continue
		}
		report, had := r.Reports.Get(access.UID)
		if !round.New || !had || report.Serial != access.Status.Applied.Serial {
			live = append(live, access)
		}
	}
	return live, nil
}

// grantOf is the grant in force of an object that stays; nil for none.
func grantOf(access *v1alpha1.SessionAccess) *v1alpha1.ResolvedGrant {
	if access.Status.Applied == nil || !access.DeletionTimestamp.IsZero() {
		return nil
	}
	return access.Status.Applied.Granted
}

// memory of the surveys of an account.
func (r *Reconciler) memory(accountID string) *survey.Memory {
	if r.memories == nil {
		r.memories = map[string]*survey.Memory{}
	}
	if r.memories[accountID] == nil {
		r.memories[accountID] = &survey.Memory{}
	}
	return r.memories[accountID]
}

// fresh notes that an account was looked at.
func (r *Reconciler) fresh(accountID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.looked == nil {
		r.looked = map[string]time.Time{}
	}
	r.looked[accountID] = r.Clock.Now()
}

// age replaces what was found before once it is too old, and says how long it
// still holds.
func (r *Reconciler) age(accountID string, accesses []*v1alpha1.SessionAccess) time.Duration {
	r.mu.Lock()
	since, ok := r.looked[accountID]
	r.mu.Unlock()
	if !ok {
		r.fresh(accountID)
		since = r.Clock.Now()
	}
	if left := since.Add(staleAfter * r.ResyncInterval).Sub(r.Clock.Now()); left > 0 {
		return left
	}
	for _, access := range accesses {
		r.Reports.Put(access.UID, client.ObjectKeyFromObject(access), notLookedAt(access))
	}
	return 0
}
