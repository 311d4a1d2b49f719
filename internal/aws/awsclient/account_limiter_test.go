package awsclient

import "testing"

func TestThrottlingInOneRegionSlowsNoOther(t *testing.T) {
	t.Parallel()
	a := newAccount("488821267897", Options{Rate: 10, Burst: 20})
	admits := a.limiterOf(serviceSSM)
	admits("DescribeSessions", "eu-west-1").throttled()
	if rate := admits("TerminateSession", "us-east-1").rate(); rate != 10 {
		t.Errorf("%v requests a second are admitted in a region that does not throttle", rate)
	}
	if rate := admits("TerminateSession", "eu-west-1").rate(); rate > 6 {
		t.Errorf("%v requests a second are admitted in the region that throttles", rate)
	}
	if rates := a.Rates(); rates[serviceSSM] > 6 || rates[serviceEC2] != 10 {
		t.Errorf("the rates are %v", rates)
	}
}
