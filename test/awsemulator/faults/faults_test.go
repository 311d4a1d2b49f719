package faults_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func TestPatternsChooseTheCalls(t *testing.T) {
	call := faults.Subject{Action: "iam:CreatePolicy", AccountID: "111122223333", Caller: "arn:aws:sts::111122223333:assumed-role/r/s", Write: true, Region: "eu-west-1", Parameters: map[string]string{"SessionId": "user01-0"}}
	for name, c := range map[string]struct {
		fault faults.Fault
		want  bool
	}{
		"nothing said":        {faults.Fault{}, true},
		"the action":          {faults.Fault{Action: "iam:CreatePolicy"}, true},
		"a part of it":        {faults.Fault{Action: "iam:Create"}, false},
		"a pattern":           {faults.Fault{Action: "iam:*Policy"}, true},
		"another service":     {faults.Fault{Action: "ssm:*"}, false},
		"the account":         {faults.Fault{Account: "111122223333"}, true},
		"another account":     {faults.Fault{Account: "444455556666"}, false},
		"the caller, slashes": {faults.Fault{Caller: "*assumed-role/r*"}, true},
		"another caller":      {faults.Fault{Caller: "*user/*"}, false},
		"the region":          {faults.Fault{Region: "eu-west-1"}, true},
		"another region":      {faults.Fault{Region: "us-east-1"}, false},
		"a parameter":         {faults.Fault{Parameter: "user01-0"}, true},
		"another parameter":   {faults.Fault{Parameter: "user01"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := faults.NewSet(service.NewRandom(1))
			c.fault.Kind = faults.Throttle
			if _, err := s.Add(c.fault); err != nil {
				t.Fatal(err)
			}
			if got := len(s.Strike(call)) == 1; got != c.want {
				t.Fatalf("the fault strikes: %v, want %v", got, c.want)
			}
		})
	}
}

func TestReadsAreSparedWhenWritesAreMeant(t *testing.T) {
	s := faults.NewSet(service.NewRandom(1))
	if _, err := s.Add(faults.Fault{Kind: faults.Drop, WritesOnly: true}); err != nil {
		t.Fatal(err)
	}
	if len(s.Strike(faults.Subject{Action: "iam:GetUser"})) != 0 || len(s.Strike(faults.Subject{Action: "iam:CreateUser", Write: true})) != 1 {
		t.Fatal("the fault takes reads for writes")
	}
}

func TestLatencyJoinsOneOtherFault(t *testing.T) {
	s := faults.NewSet(service.NewRandom(1))
	for _, kind := range []faults.Kind{faults.Throttle, faults.Latency, faults.Drop} {
		if _, err := s.Add(faults.Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	struck := s.Strike(faults.Subject{})
	if len(struck) != 2 || struck[0].Kind != faults.Latency || struck[1].Kind != faults.Throttle {
		t.Fatalf("the call is struck by %+v", struck)
	}
}

func TestRemovalLetsGo(t *testing.T) {
	s := faults.NewSet(service.NewRandom(1))
	id, err := s.Add(faults.Fault{Kind: faults.Hold})
	if err != nil {
		t.Fatal(err)
	}
	held := s.Strike(faults.Subject{})[0]
	if !s.Remove(id) || s.Remove(id) {
		t.Fatal("the fault was not removed exactly once")
	}
	<-held.Released
}
