package accounts_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestTheOperatorIsReadyOnceEveryAccountWasLookedAt(t *testing.T) {
	w := worldWithoutManager(t)
	good := scenario.Account()
	broken := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name, a.Spec.AccountID = "broken", "111122223333" })
	w.Create(good, broken)
	// Nothing of AWS is answered yet.
	held, err := w.Emulator.Inject(faults.Fault{Kind: faults.Throttle, Action: "*"})
	w.Must(err)
	m := w.Manager(t, testenv.ManagerOptions{})
	<-m.Elected() // A replica that only waits for the lease is ready.
	if err := m.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "AWSAccount") {
		t.Errorf("ready before any account was looked at: %v", err)
	}
	w.Emulator.RemoveFault(held)
	w.AwaitAccount(good, v1alpha1.ReasonVerified)
	w.AwaitAccount(broken, v1alpha1.ReasonWrongAccount)
	w.Must(m.Ready(t.Context())) // One account is broken, which its condition reports.

	w.Create(scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name, a.Spec.AccountID = "later", "444455556666" }))
	w.Must(m.Ready(t.Context()))
}

func TestALostLeaseStopsWritesAndNotReads(t *testing.T) {
	w := worldWithoutManager(t)
	lost := make(chan struct{})
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval, Guard: func(string) error {
		select {
		case <-lost:
			return errors.New("this process does not hold the lease")
		default:
			return nil
		}
	}})
	one, two := scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user02", scenario.PC02)
	w.Create(scenario.Account(), one)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	close(lost)
	written := w.IAMWrites()
	w.Create(two)
	// The grant is recorded, and the account is read on, but nothing is sent to AWS.
	w.AwaitAccess(two, v1alpha1.ReasonApplying)
	seen := w.LastCall()
	w.Eventually(func() bool { return len(w.Emulator.CallLog(seen)) > 6 })
	if got := w.IAMWrites(); got != written {
		t.Errorf("%d writes were sent without the lease", got-written)
	}
	w.ExpectAccess(true, false, false, false)
}
