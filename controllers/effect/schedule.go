package effect

import (
	"hash/fnv"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
)

const (
	// settle is how long after a change IAM is asked: before, it may answer by what was.
	settle = awsclient.ConsistencyWindow
	// again is how often it is asked without a change, as other policies change too.
	again = time.Hour
)

// schedule says when a principal is simulated next. Safe for concurrent use.
type schedule struct {
	mu      sync.Mutex
	entries map[grants.PrincipalKey]entry
	// before are the principals that had their grants before this process started.
	before map[grants.PrincipalKey]bool
	// denied is until when an account is not asked, as it does not allow it.
	denied map[string]time.Time
}

type entry struct {
	// of are the grants that it is about.
	of  string
	due time.Time
}

func newSchedule() *schedule {
	return &schedule{entries: map[grants.PrincipalKey]entry{}, before: map[grants.PrincipalKey]bool{}, denied: map[string]time.Time{}}
}

// found notes principals whose grants are older than this process. What is asked of them
// is spread over the first hour.
func (s *schedule) found(keys ...grants.PrincipalKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		s.before[key] = true
	}
}

// wait is how long until a principal with these grants is simulated; zero for now.
func (s *schedule) wait(key grants.PrincipalKey, of string, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[key]
	if !ok || e.of != of {
		e = entry{of: of, due: now.Add(settle)}
		if !ok && s.before[key] {
			e.due = now.Add(spread(key))
		}
		delete(s.before, key)
		s.entries[key] = e
	}
	if until := s.denied[key.AccountID]; until.After(e.due) {
		e.due = until
	}
	return max(0, e.due.Sub(now))
}

// done notes that a principal was simulated.
func (s *schedule) done(key grants.PrincipalKey, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[key]; ok {
		e.due = now.Add(again)
		s.entries[key] = e
	}
}

// deny notes that the operator may not ask in an account.
func (s *schedule) deny(accountID string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[accountID] = now.Add(again)
}

// forget drops a principal to which nothing is granted.
func (s *schedule) forget(key grants.PrincipalKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, key)
	delete(s.before, key)
}

// spread is a time within the hour that is the same for a principal in every process.
func spread(key grants.PrincipalKey) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key.AccountID + "/" + key.String())) // It never fails.
	return settle + time.Duration(h.Sum32()%uint32((again-settle)/time.Second))*time.Second
}
