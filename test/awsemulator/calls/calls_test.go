package calls_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
)

func TestLogKeepsTheOrderOfArrival(t *testing.T) {
	l := calls.NewLog()
	first := l.Begin(calls.Call{Service: "iam", Operation: "CreatePolicy", Write: true})
	second := l.Begin(calls.Call{Service: "iam", Operation: "GetPolicy"})
	l.End(second, "NoSuchEntity")
	l.End(first, "")
	var got []string
	for _, c := range l.Since(0) {
		got = append(got, fmt.Sprintf("%d %s %v %q", c.N, c.Action(), c.Done, c.Code))
	}
	if fmt.Sprint(got) != `[1 iam:CreatePolicy true "" 2 iam:GetPolicy true "NoSuchEntity"]` {
		t.Fatalf("the log is %v", got)
	}
	if c := l.Counts(); c.Total != 2 || c.Writes != 1 || c.Errors != 1 || c.ErrorsByCode["NoSuchEntity"] != 1 {
		t.Fatalf("the counts are %+v", c)
	}
}

func TestCallThatAResetHasForgottenEndsQuietly(t *testing.T) {
	l := calls.NewLog()
	n := l.Begin(calls.Call{Service: "iam", Operation: "GetPolicy"})
	l.Reset()
	l.End(n, "")
	if len(l.Since(0)) != 0 || l.Begin(calls.Call{}) != 2 {
		t.Fatal("the reset began the numbers again or kept a call")
	}
}

func TestCallsOfManyAreAllCounted(t *testing.T) {
	l := calls.NewLog()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				l.End(l.Begin(calls.Call{Service: "s", Operation: "O"}), "")
				l.Since(0)
				l.Counts()
			}
		})
	}
	group.Wait()
	if c := l.Counts(); c.ByAction["s:O"] != 800 {
		t.Fatalf("the counts are %+v", c)
	}
}
