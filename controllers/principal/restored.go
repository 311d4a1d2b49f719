package principal

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// firsts remembers how this process met the grants of the principals that it has
// worked on. The zero value is ready.
type firsts struct {
	mu  sync.Mutex
	met map[grants.PrincipalKey]map[types.UID]meeting
}

// meeting is how a grant was met last.
type meeting int

const (
	// metRestored: its record was another object's, so it was not granted.
	metRestored meeting = iota + 1
	// metGranted: the policies were compiled from it.
	metGranted
)

// meet notes how the grants of a principal are met. Those that are granted for the
// first time are returned, with how they were met before: 0 for not at all.
func (f *firsts) meet(key grants.PrincipalKey, now map[types.UID]meeting) (first map[types.UID]meeting) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.met == nil {
		f.met = map[grants.PrincipalKey]map[types.UID]meeting{}
	}
	before, next := f.met[key], make(map[types.UID]meeting, len(now)) // What is gone is forgotten.
	first = map[types.UID]meeting{}
	for uid, how := range now {
		if how == metGranted && before[uid] != metGranted {
			first[uid] = before[uid]
		}
		next[uid] = max(how, before[uid])
	}
	f.met[key] = next
	return first
}

// meetings are how the grants of the principal are met now.
func (w *work) meetings() map[types.UID]meeting {
	now := make(map[types.UID]meeting, len(w.accesses))
	for i := range w.accesses {
		access := &w.accesses[i]
		observed, ok := w.claims.observed[access.UID]
		switch {
		case !ok:
		case observed.Included:
			now[access.UID] = metGranted
		case !v1alpha1.IsOwnRecord(access.Status.Applied.UID, access):
			now[access.UID] = metRestored
		default:
			now[access.UID] = 0
		}
	}
	return now
}

func (f *firsts) forget(key grants.PrincipalKey) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.met, key)
}

// announceRegranted records an event on each SessionAccess whose status says that the
// principal's access is in place, where IAM does not hold it and the operator is about to
// grant it again. This happens after a restore of an older status: access that was revoked
// since the backup must not return unreported. Each process checks each grant once: what
// changes later is drift.
func (w *work) announceRegranted(steps []step) {
	first := w.firsts.meet(w.key, w.meetings())
	if w.Recorder == nil || len(steps) == 0 || !w.allRead() {
		return
	}
	detached := w.reattaches(steps)
	for i := range w.accesses {
		access := &w.accesses[i]
		before, isFirst := first[access.UID]
		inPlace := saysInPlace(access) || (before == metRestored || !isApplying(access)) && saysGranted(access, w.key)
		if !isFirst || !inPlace {
			continue
		}
		if _, refused := w.claims.refused[access.UID]; refused || !detached && !w.grows(access) {
			continue
		}
		reconcile.RecordEvent(w.Recorder, access, reconcile.Result{
			Phase: reconcile.Stalled, Reason: v1alpha1.ReasonRegranted,
			Message: fmt.Sprintf("IAM did not hold the access of %s %s that the status of this SessionAccess says is in place, and it is granted again. If the cluster was restored from a backup, access that was revoked after the backup comes back in this way; delete this SessionAccess, or what was revoked from its spec.",
				strings.ToLower(string(w.key.Kind)), w.claims.name),
		})
	}
}

// saysInPlace reports whether the status of an object says that its record is
// granted in full.
func saysInPlace(access *v1alpha1.SessionAccess) bool {
	ready := meta.FindStatusCondition(access.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.Reason == v1alpha1.ReasonGranted
}

// isApplying reports whether the status of an object says that its present record is not
// applied yet. What it says of its principals is then that of an earlier record.
func isApplying(access *v1alpha1.SessionAccess) bool {
	ready := meta.FindStatusCondition(access.Status.Conditions, v1alpha1.ConditionReady)
	return ready == nil || ready.Reason == v1alpha1.ReasonApplying
}

// saysGranted reports whether the status of an object says that a principal has its
// access, whatever Ready says since.
func saysGranted(access *v1alpha1.SessionAccess, key grants.PrincipalKey) bool {
	return slices.ContainsFunc(access.Status.Principals, func(p v1alpha1.PrincipalStatus) bool {
		return p.State == v1alpha1.PrincipalGranted && grants.PrincipalKeyOf(key.AccountID, v1alpha1.Principal{Kind: p.Kind, Name: p.Name}) == key
	})
}

// allRead reports whether it is known what IAM holds for the principal.
func (w *work) allRead() bool {
	for _, view := range w.held {
		if view.Presence != iam.Absent && view.Document == "" {
			return false
		}
	}
	return true
}

// reattaches reports whether a policy that exists lost its attachment.
func (w *work) reattaches(steps []step) bool {
	for _, s := range steps {
		if s.action != attachPolicy {
			continue
		}
		for _, view := range w.held {
			if view.Name == s.policy && view.Presence == iam.Present {
				return true
			}
		}
	}
	return false
}

// grows reports whether IAM's documents lack something of what an object grants.
func (w *work) grows(access *v1alpha1.SessionAccess) bool {
	grant := grants.Policy(string(access.UID), access.Status.Applied.Granted)
	plan, err := policy.Compile(policy.Account{ID: w.account.AccountID, Partition: w.account.Partition},
		w.compiled(), []policy.Grant{grant}, w.heldDocuments(), policy.Quotas{PolicySize: w.account.Quotas.PolicySize, Policies: -1}, w.Clock.Now())
	if err != nil {
		return false // It cannot be granted, which its status says.
	}
	for _, write := range plan.Writes {
		if write.Grows {
			return true
		}
	}
	return false
}
