package awsemulator

import (
	"slices"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// Now is the emulator's time.
func (s *Server) Now() time.Time { return s.clock.Now() }

// Advance moves the emulator's time forward.
func (s *Server) Advance(d time.Duration) { s.clock.Advance(d) }

// SetConsistencyDelay makes IAM's reads, and its judging of callers, lag
// writes by d from now on. What was overwritten before is forgotten.
func (s *Server) SetConsistencyDelay(d time.Duration) {
	s.SetConsistency(Consistency{Reads: d, Evaluation: d})
}

// Consistency is how far reads are behind writes.
type Consistency struct {
	// Reads is the delay of Get, List and the bulk read, Evaluation that of
	// the judging of callers.
	Reads, Evaluation time.Duration
	// Sessions is the delay of DescribeSessions, Documents that of all reads of
	// documents, Activations that of DescribeActivations.
	Sessions, Documents, Activations time.Duration
	// Spread gives each read its own share of the delay, so that one that comes
	// later may show an older state.
	Spread bool
}

// ofSSM is how far the reads of SSM look back.
func (c Consistency) ofSSM() time.Duration { return max(c.Sessions, c.Documents, c.Activations) }

// SetConsistency sets how far reads are behind writes.
func (s *Server) SetConsistency(c Consistency) {
	for _, a := range s.Accounts() {
		a.IAM.Keep(max(c.Reads, c.Evaluation))
		for _, r := range a.Regions() {
			r.SSM.Keep(c.ofSSM())
		}
	}
	s.lag.Set(c.Reads, c.Spread)
	s.evalLag.Set(c.Evaluation, c.Spread)
	s.sessionLag.Set(c.Sessions, c.Spread)
	s.documentLag.Set(c.Documents, c.Spread)
	s.activationLag.Set(c.Activations, c.Spread)
}

// Consistency returns how far reads are behind writes.
func (s *Server) Consistency() Consistency {
	reads, spread := s.lag.Get()
	evaluation, _ := s.evalLag.Get()
	sessions, _ := s.sessionLag.Get()
	documents, _ := s.documentLag.Get()
	activations, _ := s.activationLag.Get()
	return Consistency{
		Reads: reads, Evaluation: evaluation, Sessions: sessions, Documents: documents, Activations: activations, Spread: spread,
	}
}

// SetSessionEndingTime is how long sessions take to end after
// TerminateSession.
func (s *Server) SetSessionEndingTime(d time.Duration) { s.sessionEnding.Store(d) }

// SetTierTimes is how long the activation tier takes to go up to advanced, and
// back down to standard.
func (s *Server) SetTierTimes(t ssm.TierTimes) {
	s.tierUp.Store(t.Up)
	s.tierDown.Store(t.Down)
}

// SetSharingTime is how long RAM takes to make an association of a resource share, and to
// end it.
func (s *Server) SetSharingTime(d time.Duration) { s.sharing.Store(d) }

// SetShortPages makes this share of the pages of lists shorter than
// asked for, down to none.
func (s *Server) SetShortPages(share float64) { s.paging.SetShort(share) }

// SetEvaluateIAM switches the judging of callers for all accounts that have no
// setting of their own.
func (s *Server) SetEvaluateIAM(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.evaluate = on
}

// SetEvaluateIAM switches the judging of this account's callers, whatever the
// emulator's setting.
func (a *Account) SetEvaluateIAM(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.evaluate = &on
}

// evaluates reports whether the calls of an account are evaluated against
// policies.
func (s *Server) evaluates(a *Account) bool {
	a.mu.RLock()
	own := a.evaluate
	a.mu.RUnlock()
	if own != nil {
		return *own
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.evaluate
}

// Inject activates a fault and returns its id.
func (s *Server) Inject(f faults.Fault) (string, error) { return s.faults.Add(f) }

// RemoveFault deactivates a fault, or all of them for "", and releases the
// calls that they hold.
func (s *Server) RemoveFault(id string) bool { return s.faults.Remove(id) }

// Faults lists the active faults.
func (s *Server) Faults() []faults.Status { return s.faults.List() }

// Calls returns the counts of calls since the last reset.
func (s *Server) Calls() calls.Counts { return s.calls.Counts() }

// CallLog returns the calls after number n, 0 for all.
func (s *Server) CallLog(n int) []calls.Call { return s.calls.Since(n) }

// ResetCalls empties the counts and the log.
func (s *Server) ResetCalls() { s.calls.Reset() }

// OnCall calls hook with every call on its arrival, before anything is done.
// The call continues when the hook returns, so that a test can stop the world
// at the n-th call. Hooks run in the goroutine of the request.
func (s *Server) OnCall(hook func(calls.Call)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, hook)
}

// OnFault calls hook with every call that a fault strikes, before the fault has an effect.
func (s *Server) OnFault(hook func(calls.Call)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faulted = append(s.faulted, hook)
}

// OnAnswer calls hook with every call when it has had its effect, before its answer
// is sent.
func (s *Server) OnAnswer(hook func(calls.Call)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered = append(s.answered, hook)
}

// Operations lists what the emulator can do, as "service:Operation".
func (s *Server) Operations() []string {
	var list []string
	for name, svc := range s.services {
		for operation := range svc.Operations {
			list = append(list, name+":"+operation)
		}
	}
	slices.Sort(list)
	return list
}
