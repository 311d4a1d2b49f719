package iam

import (
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/history"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// Options says how an account's IAM is set up. All but
// Changed is needed.
type Options struct {
	// ID is the account's twelve digits, Partition the one of its ARNs.
	ID, Partition string
	// Now returns the time for changes that come from no request.
	Now func() time.Time
	// Random makes unique ids.
	Random *service.Random
	// Lag is how far reads are behind, EvaluationLag how far the judging of
	// callers is.
	Lag, EvaluationLag *service.Lag
	// Paging is how full pages are.
	Paging *service.Paging
	// Changed, which may be nil, is called after each change with the state that
	// it made. Changes come in their order, one at a time.
	Changed func(now time.Time, state *State)
}

// Account is the IAM of one account. It is safe for concurrent use.
type Account struct {
	Options
	history *history.History[*State]

	mu     sync.RWMutex
	quotas map[string]int32
	keys   map[string]*AccessKey
}

// NewAccount returns an account without any entity.
func NewAccount(o Options) *Account {
	return &Account{
		Options: o,
		history: history.New(newState(awsManagedPolicies(o.Partition)), 0),
		quotas:  map[string]int32{},
		keys:    map[string]*AccessKey{},
	}
}

// Keep makes the account remember its past for this long.
func (a *Account) Keep(d time.Duration) { a.history.Keep(a.Now(), d) }

// Latest returns the state as it is, without any lag.
func (a *Account) Latest() *State { return a.history.Latest() }

// ForEvaluation returns the state by which callers are judged at now.
func (a *Account) ForEvaluation(now time.Time) *State { return a.at(a.EvaluationLag, now) }

// read returns the state that a read at now sees.
func (a *Account) read(now time.Time) *State { return a.at(a.Lag, now) }

func (a *Account) at(lag *service.Lag, now time.Time) *State {
	t, latest := lag.ReadTime(now)
	if latest {
		return a.history.Latest()
	}
	return a.history.At(t)
}

// update changes the state as of now. The change sees the latest state: IAM
// lets reads lag, not the checks of a write.
func (a *Account) update(now time.Time, change func(*State) error) error {
	return a.history.Update(now, func(s *State) (*State, error) { return s.with(change) }, func(s *State) {
		if a.Changed != nil {
			a.Changed(now, s)
		}
	})
}

// arn builds the ARN of an entity or policy of this account.
func (a *Account) arn(resource, path, name string) string {
	return "arn:" + a.Partition + ":iam::" + a.ID + ":" + resource + path + name
}
