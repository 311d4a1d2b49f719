// Package reachability checks, account by account, whether sessions can reach the nodes
// of the granted SessionAccesses, and what prevents them. It stores the results in the
// ReachabilityStore of package grants. The controller only reads, and only after all other
// work: at resync priority.
package reachability

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/collect"
)

// staleAfter is after how many resync intervals without a check an earlier finding does
// not hold any more.
const staleAfter = 3

// Round is one check of an account.
type Round struct {
	AccountID string
	// New: only the accesses whose current serial was not checked yet.
	New bool
}

// Reconciler checks one account at a time.
type Reconciler struct {
	Client   client.Client
	Clock    clock.PassiveClock
	Accounts *accounts.Registry
	Reports  *grants.ReachabilityStore
	// ResyncInterval is how often every account is checked.
	ResyncInterval time.Duration

	mu sync.Mutex
	// looked is when the nodes of an access were last checked, or when the first check
	// was attempted.
	looked map[types.UID]time.Time
	// crowded: the last check of new accesses covered many.
	crowded atomic.Bool
	// memories of the surveys, by account. One worker alone uses each.
	memories map[string]*collect.Memory
}

// Reconcile checks the nodes of an account and judges them for each SessionAccess. Where
// AWS does not answer, what was found before stays for some time.
func (r *Reconciler) Reconcile(ctx context.Context, round Round) (ctrl.Result, error) {
	accesses, err := r.accesses(ctx, round)
	if round.New {
		r.crowded.Store(len(accesses) > crowd)
	}
	if err != nil || len(accesses) == 0 {
		return reconcile.Requeue(queue.PriorityResync, 0, err)
	}
	account, ok := r.Accounts.Get(round.AccountID)
	if !ok {
		return reconcile.Requeue(queue.PriorityResync, r.age(accesses), nil)
	}
	request := requestOf(account, accesses)
	request.Memory, request.Partial = r.memory(round.AccountID), round.New
	taken, err := collect.Take(awsclient.WithPriority(ctx, awsclient.Resync), account.IAM, r.Clock.Now(), request)
	if err != nil {
		return reconcile.Requeue(queue.PriorityResync, r.unanswered(ctx, round, accesses, err), reconcile.Retry(err))
	}
	judging := judgingOf(taken)
	var unanswered []*v1alpha1.SessionAccess
	for _, access := range accesses {
		if failed := failedFor(access, taken); failed != nil {
			unanswered, err = append(unanswered, access), failed
			continue
		}
		r.Reports.Put(access.UID, client.ObjectKeyFromObject(access), r.kept(access.UID, judging.access(access)))
		r.fresh(access.UID)
	}
	if err == nil {
		return reconcile.Requeue(queue.PriorityResync, 0, nil)
	}
	holds := r.unanswered(ctx, round, unanswered, err)
	if !round.New {
		// The next resync asks again; to check all the others earlier would be expensive.
		err = nil
	}
	return reconcile.Requeue(queue.PriorityResync, holds, reconcile.Retry(err))
}

// failedFor is why it is unknown which nodes of an access are connected.
func failedFor(access *v1alpha1.SessionAccess, taken *collect.Survey) error {
	granted := grantOf(access)
	regions := make([]string, len(granted.Regions))
	for i, region := range granted.Regions {
		regions[i] = string(region)
	}
	return taken.Failed(regions, selectionsOf(granted))
}

// unanswered logs that nothing new is known of the nodes of some accesses, and returns
// how long what was known still holds.
func (r *Reconciler) unanswered(ctx context.Context, round Round, accesses []*v1alpha1.SessionAccess, err error) time.Duration {
	log.FromContext(ctx).Info("Nodes of the account cannot be looked at", "account", round.AccountID, "accesses", len(accesses), "error", err.Error())
	return r.age(accesses)
}

// accesses lists the objects that grant access in the account, or only those that are
// new.
func (r *Reconciler) accesses(ctx context.Context, round Round) ([]*v1alpha1.SessionAccess, error) {
	var all v1alpha1.SessionAccessList
	// They are read only, and one at a time.
	if err := r.Client.List(ctx, &all, queue.OfAccountID(round.AccountID), client.UnsafeDisableDeepCopy); err != nil {
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

// grantOf is the current grant of an object that is not being deleted; nil for none.
func grantOf(access *v1alpha1.SessionAccess) *v1alpha1.ResolvedGrant {
	if access.Status.Applied == nil || !access.DeletionTimestamp.IsZero() {
		return nil
	}
	return access.Status.Applied.Granted
}

// memory of the surveys of an account.
func (r *Reconciler) memory(accountID string) *collect.Memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.memories == nil {
		r.memories = map[string]*collect.Memory{}
	}
	if r.memories[accountID] == nil {
		r.memories[accountID] = &collect.Memory{}
	}
	return r.memories[accountID]
}

// fresh records that the nodes of an access were checked.
func (r *Reconciler) fresh(access types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.looked == nil {
		r.looked = map[types.UID]time.Time{}
	}
	r.looked[access] = r.Clock.Now()
}

// since is when the nodes of an access were last checked, or now when a check fails for
// the first time.
func (r *Reconciler) since(access types.UID) time.Time {
	r.mu.Lock()
	since, ok := r.looked[access]
	r.mu.Unlock()
	if !ok {
		r.fresh(access)
		since = r.Clock.Now()
	}
	return since
}

// forget forgets an access that is gone.
func (r *Reconciler) forget(access types.UID) {
	r.Reports.Forget(access)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.looked, access)
}

// age replaces what was found before of accesses where it is too old, and says how
// long the rest still holds.
func (r *Reconciler) age(accesses []*v1alpha1.SessionAccess) time.Duration {
	var holds time.Duration
	for _, access := range accesses {
		left := r.since(access.UID).Add(staleAfter * r.ResyncInterval).Sub(r.Clock.Now())
		switch {
		case left <= 0:
			r.Reports.Put(access.UID, client.ObjectKeyFromObject(access), notLookedAt(access))
		case holds == 0 || left < holds:
			holds = left
		}
	}
	return holds
}
