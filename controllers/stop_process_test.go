package controllers_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// AWS answers nothing any more, neither reads nor writes, when SIGTERM comes.
func TestTheManagerEndsInTimeWhileAWSHangs(t *testing.T) {
	// A namespace has three workers for grants and three for lookups. How many of them have
	// begun when the manager is stopped depends on the machine.
	const people, begun, workers = 8, 4, 6
	w := worldWithoutManager(t)
	var log bytes.Buffer
	process, err := w.StartProcess(testenv.ProcessOptions{
		Binary: w.manager(), Log: &log, Args: []string{"--owner-id=" + testenv.DefaultOwner, "--aws-rate=1000", "--aws-burst=1000"},
	})
	w.Must(err)
	kept := scenario.Access("kept", "user01", scenario.PC01)
	w.Create(scenario.Account(), kept)
	w.AwaitAccess(kept, v1alpha1.ReasonGranted)

	// Of each, the first write is done and the second one hangs.
	held := w.HoldCalls(faults.Fault{Action: "iam:Attach*"})
	seen := w.LastCall()
	for i := range people {
		name := fmt.Sprintf("person%d", i)
		w.Must(w.Emulator.Account(scenario.AccountID).IAM.AddUser(fixtures.User{Name: name}))
		w.Create(scenario.Access(name, name, scenario.PC01))
	}
	w.Eventually(func() bool {
		whom := map[string]bool{} // A call that hangs is repeated.
		for _, c := range w.Emulator.CallLog(seen) {
			if c.Operation == "AttachUserPolicy" {
				whom[c.Parameters["UserName"]] = true
			}
		}
		return len(whom) >= begun
	})
	held = append(held, w.HoldCalls(faults.Fault{})...)
	began := time.Now()
	if err := process.Stop(); err != nil {
		t.Errorf("%v; it says\n%s", err, &log)
	}
	took := time.Since(began)
	if t.Logf("the stop took %s", took); took > stopLimit {
		t.Errorf("it should take at most %s", stopLimit)
	}

	// Another manager was never there.
	ended := w.LastCall()
	w.ReleaseCalls(held)
	w.brokenOffBetweenWrites()
	created := 0
	for _, c := range w.Emulator.CallLog(seen) {
		if c.Operation == "CreatePolicy" && c.Effect {
			created++
		}
	}
	if got := len(w.OwnedPolicies()); got != 1+created || created < begun || created > workers {
		t.Errorf("there are %d policies of this operator, want 1 and those that were begun: %d, of %d to %d", got, created, begun, workers)
	}
	for i := range people {
		if w.MayOpen(fmt.Sprintf("person%d", i), scenario.PC01) {
			t.Errorf("person%d may open sessions by an attachment that was broken off", i)
		}
	}
	w.ExpectAccess(true, false, false, false)
	if late := w.Emulator.CallLog(ended); len(late) != 0 {
		t.Errorf("%d calls came after the end", len(late))
	}
}
