package principal

import (
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/outcome"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// firsts remembers which principals this process has worked on. The zero value is
// ready.
type firsts struct {
	mu  sync.Mutex
	met map[outcome.Key]bool
}

func (f *firsts) meet(key outcome.Key) (first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.met == nil {
		f.met = map[outcome.Key]bool{}
	}
	first = !f.met[key]
	f.met[key] = true
	return first
}

func (f *firsts) forget(key outcome.Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.met, key)
}

// announceRegranted records an event on each SessionAccess whose status says that
// the principal's access is in place, where IAM does not hold it and it is about to
// be granted again. So it is after a restore of an older status: access that was
// revoked since the backup must not come back without a word. It looks once in each
// process: what changes later is drift.
func (w *work) announceRegranted(steps []step) {
	if !w.firsts.meet(w.key) || w.Recorder == nil || len(steps) == 0 || !w.allRead() {
		return
	}
	detached := w.reattaches(steps)
	for i := range w.accesses {
		access := &w.accesses[i]
		if !w.claims.saw[access.UID].Included || !saysInPlace(access) {
			continue
		}
		if _, refused := w.claims.refused[access.UID]; refused || !detached && !w.grows(access) {
			continue
		}
		lifecycle.Announce(w.Recorder, access, lifecycle.Verdict{
			Progress: lifecycle.Stuck, Reason: v1alpha1.ReasonRegranted,
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

// allRead reports whether it is known what IAM holds for the principal.
func (w *work) allRead() bool {
	for _, view := range w.held {
		if view.Presence != cloud.Absent && view.Document == "" {
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
			if view.Name == s.policy && view.Presence == cloud.Present {
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
