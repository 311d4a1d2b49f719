package controllers_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// AWS answers nothing any more, neither reads nor writes, when SIGTERM comes.
func TestTheManagerEndsInTimeWhileAWSHangs(t *testing.T) {
	const people, begun = 8, 4 // It works on as many at a time.
	w := worldWithoutManager(t)
	var log bytes.Buffer
	process, err := w.StartProcess(testenv.ProcessOptions{
		Binary: w.manager(), Log: &log, Args: []string{"--owner-id=" + testenv.DefaultOwner, "--aws-rate=1000", "--aws-burst=1000"},
	})
	w.must(err)
	kept := access("kept", "user01", pc01)
	w.create(account(), kept)
	w.accessIs(kept, v1alpha1.ReasonGranted)

	// Of each, the first write is done and the second one hangs.
	held := w.hold(faults.Fault{Action: "iam:Attach*"})
	seen := w.LastCall()
	for i := range people {
		name := fmt.Sprintf("person%d", i)
		w.must(w.Emulator.Account(accountID).IAM.AddUser(fixtures.User{Name: name}))
		w.create(access(name, name, pc01))
	}
	w.until(func() bool { return w.sent(seen, "AttachUserPolicy") == begun })
	held = append(held, w.hold(faults.Fault{})...)
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
	w.release(held)
	w.brokenOffBetweenWrites()
	if got := len(w.ourPolicies()); got != 1+begun {
		t.Errorf("there are %d policies of ours, want %d", got, 1+begun)
	}
	for i := range people {
		if w.may(fmt.Sprintf("person%d", i), pc01) {
			t.Errorf("person%d may open sessions by an attachment that was broken off", i)
		}
	}
	w.grid(true, false, false, false)
	if late := w.Emulator.CallLog(ended); len(late) != 0 {
		t.Errorf("%d calls came after the end", len(late))
	}
}
