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
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
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
	kept := scenario.Access("kept", "user01", scenario.PC01)
	w.Create(scenario.Account(), kept)
	w.AwaitAccess(kept, v1alpha1.ReasonGranted)
	w.candidate(binary, "second")

	held := w.HoldCalls(faults.Fault{Action: "iam:CreatePolicyVersion", Count: 1}, faults.Fault{Action: "iam:CreatePolicy", Count: halfDone})
	seen := w.LastCall()
	scenario.Change(w.World, kept, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01, scenario.PC02}
	})
	begun := make([]*v1alpha1.SessionAccess, halfDone)
	for i := range begun {
		name := fmt.Sprintf("person%d", i)
		w.Must(w.Emulator.Account(scenario.AccountID).IAM.AddUser(fixtures.User{Name: name}))
		begun[i] = scenario.Access(name, name, scenario.PC01)
		begun[i].Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
		w.Create(begun[i])
	}
	w.Eventually(func() bool {
		return w.sent(seen, "CreatePolicyVersion") == 1 && w.sent(seen, "CreatePolicy") == halfDone
	})
	holder := w.leader()
	w.Must(first.Pause())
	scenario.Change(w.World, kept, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01} })
	for _, one := range begun {
		w.Must(w.Client.Delete(t.Context(), one))
	}

	w.nextLeader(holder)
	w.Eventually(func() bool { return w.sentBy("second") > halfDone })
	// All that the paused leader had sent takes effect.
	w.sees(func() { w.ReleaseCalls(held) }, func(s *iam.State) bool { return w.mayIn(s, "user01", scenario.PC02) && count(s.Policies()) > halfDone })
	written := w.sentBy("first")
	w.Must(first.Resume())
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
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval, Guard: func(string) error {
		select {
		case <-lost:
			return lease.ErrNotHeld
		default:
			return nil
		}
	}})
	kept := scenario.Access("kept", "user01", scenario.PC01)
	w.Create(scenario.Account(), kept)
	w.AwaitAccess(kept, v1alpha1.ReasonGranted)
	held := w.HoldCalls(faults.Fault{Action: "iam:CreatePolicyVersion", Count: 1})
	seen := w.LastCall()
	scenario.Change(w.World, kept, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01, scenario.PC02}
	})
	w.Eventually(func() bool { return w.sent(seen, "CreatePolicyVersion") == 1 })
	close(lost)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	scenario.Change(w.World, kept, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01} })
	w.Eventually(func() bool { return w.sent(seen, "CreatePolicyVersion") > 1 })
	w.sees(func() { w.ReleaseCalls(held) }, func(s *iam.State) bool { return w.mayIn(s, "user01", scenario.PC02) })

	w.Advance(scenario.Window, scenario.Account())
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC02) })
	w.ExpectAccess(true, false, false, false)
}

// candidate starts a manager that works while it has the lease. Its requests tell
// its name.
func (w world) candidate(binary, name string) (*testenv.Process, *bytes.Buffer) {
	w.T.Helper()
	var log bytes.Buffer
	p, err := w.StartProcess(testenv.ProcessOptions{
		Binary: binary, Log: &log, MayFail: true, Env: []string{"AWS_EXECUTION_ENV=" + name},
		Args: []string{
			"--owner-id=" + testenv.DefaultOwner, "--aws-rate=1000", "--aws-burst=1000",
			"--leader-elect", "--leader-election-namespace=" + testenv.LeaseNamespace,
		},
	})
	w.Must(err)
	return p, &log
}

func leaseOfAll() *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: testenv.LeaseNamespace, Name: "manager.ssm-access.dev"}}
}

// leader is who holds the lease.
func (w world) leader() string {
	w.T.Helper()
	lease := leaseOfAll()
	w.Must(w.Client.Get(w.T.Context(), scenario.KeyOf(lease), lease))
	return *lease.Spec.HolderIdentity
}

// nextLeader waits until another replica holds the lease.
func (w world) nextLeader(last string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, leaseOfAll(), func(l *coordinationv1.Lease) bool {
		return l.Spec.HolderIdentity != nil && *l.Spec.HolderIdentity != "" && *l.Spec.HolderIdentity != last
	})
	w.Must(err)
}

// sees waits until a state of IAM is as wanted, which it becomes by an act and
// need not stay.
func (w world) sees(act func(), wanted func(*iam.State) bool) {
	w.T.Helper()
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
		w.T.Fatalf("IAM has not become as wanted in %s", testenv.Patience)
	}
}

// mayIn asks whether a user could open a session on a node in a state of IAM.
func (w world) mayIn(s *iam.State, name, node string) bool {
	answer, err := w.Emulator.MayIn(s, awsemulator.Question{Principal: scenario.UserARN(name), Region: scenario.Region, Target: node})
	if err != nil {
		w.T.Error(err)
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
