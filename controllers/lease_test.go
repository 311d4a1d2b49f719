package controllers_test

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/lease"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const (
	// halfDone is how many new principals the leader is in the middle of when it is
	// paused: of each it has yet to write something. It works on four at a time.
	halfDone = 3
	// exitLimit is how long a process may live without the lease: it tries to renew
	// it for RenewDeadline before it takes it for lost.
	exitLimit = lease.RenewDeadline + 10*time.Second
)

// A leader hangs with requests under way, for longer than its lease counts, while
// what they were for is taken back. AWS carries them out late; the leader wakes up
// and has the rest to write.
func TestAPausedLeaderWritesNothingMoreAndEnds(t *testing.T) {
	w := worldWithoutManager(t)
	binary := w.manager()
	first, log := w.candidate(binary, "first")
	kept := access("kept", "user01", pc01)
	w.create(account(), kept)
	w.accessIs(kept, v1alpha1.ReasonGranted)
	w.candidate(binary, "second")

	held := w.hold(faults.Fault{Action: "iam:CreatePolicyVersion", Count: 1}, faults.Fault{Action: "iam:CreatePolicy", Count: halfDone})
	seen := w.LastCall()
	change(w, kept, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01, pc02}
	})
	begun := make([]*v1alpha1.SessionAccess, halfDone)
	for i := range begun {
		name := fmt.Sprintf("person%d", i)
		w.must(w.Emulator.Account(accountID).IAM.AddUser(fixtures.User{Name: name}))
		begun[i] = access(name, name, pc01)
		begun[i].Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
		w.create(begun[i])
	}
	w.until(func() bool {
		return w.sent(seen, "CreatePolicyVersion") == 1 && w.sent(seen, "CreatePolicy") == halfDone
	})
	holder := w.leader()
	w.must(first.Pause())
	change(w, kept, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01} })
	for _, one := range begun {
		w.must(w.Client.Delete(t.Context(), one))
	}

	w.nextLeader(holder)
	w.until(func() bool { return w.sentBy("second") > halfDone })
	// All that the paused leader had sent takes effect.
	w.sees(func() { w.release(held) }, func(s *iam.State) bool { return w.mayIn(s, "user01", pc02) && count(s.Policies()) > halfDone })
	written := w.sentBy("first")
	w.must(first.Resume())
	select {
	case <-first.Ended():
	case <-time.After(exitLimit):
		t.Errorf("a process that lost its lease still runs after %s", exitLimit)
	}
	if code := first.ExitCode(); code != 1 {
		t.Errorf("a process that lost its lease ends with %d, want 1; it says\n%s", code, log)
	}
	if more := w.sentBy("first") - written; more != 0 {
		t.Errorf("the paused leader sent %d writes without the lease", more)
	}
}

// The same in the operator's time: what the one without the lease had sent is
// undone by the first resync after the consistency window, in which AWS may still
// show what was before the new leader's own writes.
func TestWhatALeaderHadSentBeforeItLostTheLeaseIsUndoneByAResync(t *testing.T) {
	w := worldWithoutManager(t)
	lost := make(chan struct{})
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync, Guard: func(string) error {
		select {
		case <-lost:
			return lease.ErrNotHeld
		default:
			return nil
		}
	}})
	kept := access("kept", "user01", pc01)
	w.create(account(), kept)
	w.accessIs(kept, v1alpha1.ReasonGranted)
	held := w.hold(faults.Fault{Action: "iam:CreatePolicyVersion", Count: 1})
	seen := w.LastCall()
	change(w, kept, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01, pc02}
	})
	w.until(func() bool { return w.sent(seen, "CreatePolicyVersion") == 1 })
	close(lost)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	change(w, kept, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01} })
	w.until(func() bool { return w.sent(seen, "CreatePolicyVersion") > 1 })
	w.sees(func() { w.release(held) }, func(s *iam.State) bool { return w.mayIn(s, "user01", pc02) })

	w.advance(testWindow, account())
	w.until(func() bool { return !w.may("user01", pc02) })
	w.grid(true, false, false, false)
}

// candidate starts a manager that works while it has the lease. Its requests tell
// its name.
func (w world) candidate(binary, name string) (*testenv.Process, *bytes.Buffer) {
	w.t.Helper()
	var log bytes.Buffer
	p, err := w.StartProcess(testenv.ProcessOptions{
		Binary: binary, Log: &log, MayFail: true, Env: []string{"AWS_EXECUTION_ENV=" + name},
		Args: []string{
			"--owner-id=" + testenv.DefaultOwner, "--aws-rate=1000", "--aws-burst=1000",
			"--leader-elect", "--leader-election-namespace=" + testenv.LeaseNamespace,
		},
	})
	w.must(err)
	return p, &log
}

func leaseOfAll() *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: testenv.LeaseNamespace, Name: "manager.ssm-access.dev"}}
}

// leader is who holds the lease.
func (w world) leader() string {
	w.t.Helper()
	lease := leaseOfAll()
	w.must(w.Client.Get(w.t.Context(), keyOf(lease), lease))
	return *lease.Spec.HolderIdentity
}

// nextLeader waits until another replica holds the lease.
func (w world) nextLeader(last string) {
	w.t.Helper()
	_, err := testenv.WaitFor(w.t.Context(), w.Client, leaseOfAll(), func(l *coordinationv1.Lease) bool {
		return l.Spec.HolderIdentity != nil && *l.Spec.HolderIdentity != "" && *l.Spec.HolderIdentity != last
	})
	w.must(err)
}

// hold keeps calls waiting until they are released.
func (w world) hold(all ...faults.Fault) (ids []string) {
	w.t.Helper()
	for _, f := range all {
		f.Kind = faults.Hold
		id, err := w.Emulator.Inject(f)
		w.must(err)
		ids = append(ids, id)
	}
	return ids
}

// release lets held calls go.
func (w world) release(ids []string) {
	for _, id := range ids {
		w.Emulator.RemoveFault(id)
	}
}

// sees waits until a state of IAM is as wanted, which it becomes by an act and
// need not stay.
func (w world) sees(act func(), wanted func(*iam.State) bool) {
	w.t.Helper()
	seen := make(chan struct{})
	once := sync.OnceFunc(func() { close(seen) })
	w.Emulator.Observe(func(c awsemulator.Change) {
		if c.IAM != nil && wanted(c.IAM) {
			once()
		}
	})
	act()
	select {
	case <-seen:
	case <-time.After(testenv.Patience):
		w.t.Fatalf("IAM has not become as wanted in %s", testenv.Patience)
	}
}

// mayIn asks whether a user could open a session on a node in a state of IAM.
func (w world) mayIn(s *iam.State, name, node string) bool {
	answer, err := w.Emulator.MayIn(s, awsemulator.Question{Principal: user(name), Region: region, Target: node})
	if err != nil {
		w.t.Error(err)
	}
	return answer.Allowed
}

// count counts the policies that are the operator's.
func count(all iter.Seq[*iam.Policy]) int {
	n := 0
	for p := range all {
		if p.Path == "/ssm-access/"+testenv.DefaultOwner+"/" {
			n++
		}
	}
	return n
}

// sent counts the calls of an operation after number n.
func (w world) sent(n int, operation string) int {
	count := 0
	for _, call := range w.Emulator.CallLog(n) {
		if call.Operation == operation {
			count++
		}
	}
	return count
}

// sentBy counts the writes of a candidate.
func (w world) sentBy(name string) int {
	count := 0
	for _, call := range w.Emulator.CallLog(0) {
		if call.Write && strings.Contains(call.UserAgent, "exec-env/"+name) {
			count++
		}
	}
	return count
}
