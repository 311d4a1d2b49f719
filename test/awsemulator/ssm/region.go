package ssm

import (
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/history"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// Options says how a region's SSM is set up. All of it is needed, but for
// Changed.
type Options struct {
	service.Scope
	Fleet  *fleet.Fleet
	Now    func() time.Time
	Random *service.Random
	// Lag is how far DescribeSessions is behind, DocumentLag the reads of
	// documents, ActivationLag DescribeActivations.
	Lag, DocumentLag, ActivationLag *service.Lag
	// Paging is how full pages are.
	Paging *service.Paging
	// EndingTime is how long a session takes to end.
	EndingTime func() time.Duration
	// TierTimes are how long the activation tier takes to change.
	TierTimes func() TierTimes
	// ServiceRole finds the role of an activation. The ARN is given for one that
	// does not exist, too.
	ServiceRole func(now time.Time, name string) ServiceRole
	// MakeRole makes a role that Systems Manager may assume, unless it is there, and returns
	// its ARN.
	MakeRole func(path, name string) (arn string, err error)
	// SharedWith lists whom RAM shares a document with, by the document's ARN.
	SharedWith func(arn string) []string
	// UseOfKey is the check of kms:GenerateDataKey by a caller of the account on a key that
	// a document names.
	UseOfKey func(key string) service.Check
	// Channel admits a client to the data channel of a session and returns its URL and a
	// token. Closed is called for each session that ends.
	Channel func(req *service.Request, s *Session) (url, token string)
	Closed  func(session string)
	// RoleToken makes credentials of a role for a node.
	RoleToken func(role, node string) (RoleToken, error)
	// Deregistered is called for each node that is deregistered.
	Deregistered func(node string)
	// Elsewhere finds the same region in another account, nil where there is
	// none.
	Elsewhere func(account string) *Region
	// Changed is called after each change.
	Changed func(now time.Time)
}

// Region is the SSM of one account in one region. It is safe for concurrent
// use.
type Region struct {
	Options
	history *history.History[*State]

	mu       sync.Mutex
	limits   Limits
	outcomes []Outcome
}

// Limits are quotas that tests set low.
type Limits struct {
	// Documents is how many an account has in a region, DocumentVersions how
	// many versions a document has, DocumentShares how many accounts it is
	// shared with.
	Documents        int `json:"documents,omitempty"`
	DocumentVersions int `json:"documentVersions,omitempty"`
	DocumentShares   int `json:"documentShares,omitempty"`
	// StandardNodes is how many hybrid nodes the standard tier allows.
	StandardNodes int `json:"standardNodes,omitempty"`
}

// defaultLimits are those of AWS. That of the versions has not been seen on a
// real account.
var defaultLimits = Limits{Documents: 500, DocumentVersions: 1000, DocumentShares: 1000, StandardNodes: 1000}

// State is all of a region's SSM at one moment. It is immutable.
type State struct {
	sessions    ordered.Map[*Session]
	documents   ordered.Map[*Document]
	activations ordered.Map[*Activation]
	tier        tier
	// hostRole is the role of default host management; empty where that is off.
	hostRole string
}

// NewRegion returns a region in which there is nothing.
func NewRegion(o Options) *Region {
	return &Region{Options: o, limits: defaultLimits, history: history.New(&State{
		sessions: ordered.New[*Session](), documents: ordered.New[*Document](), activations: ordered.New[*Activation](),
		tier: tier{value: TierStandard},
	}, 0)}
}

// Keep makes the region remember its past for this long.
func (r *Region) Keep(d time.Duration) { r.history.Keep(r.Now(), d) }

// Limits returns the current quotas.
func (r *Region) Limits() Limits {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limits
}

// SetLimits sets quotas; one that is 0 stays as it is.
func (r *Region) SetLimits(l Limits) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, limit := range []struct {
		to    *int
		value int
	}{
		{&r.limits.Documents, l.Documents},
		{&r.limits.DocumentVersions, l.DocumentVersions},
		{&r.limits.DocumentShares, l.DocumentShares},
		{&r.limits.StandardNodes, l.StandardNodes},
	} {
		if limit.value != 0 {
			*limit.to = limit.value
		}
	}
}

// at returns the state that a read at now sees, with this lag.
func (r *Region) at(lag *service.Lag, now time.Time) *State {
	t, latest := lag.ReadTime(now)
	if latest {
		return r.history.Latest()
	}
	return r.history.At(t)
}

func (r *Region) update(now time.Time, change func(*State) error) error {
	return r.history.Update(now, func(s *State) (*State, error) {
		next := *s
		err := change(&next)
		return &next, err
	}, func(*State) {
		if r.Changed != nil {
			r.Changed(now)
		}
	})
}
