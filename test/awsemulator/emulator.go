package awsemulator

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/clock"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/controlchannel"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/datachannel"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ec2"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/kms"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/logs"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ram"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/s3"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/sigv4"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/sts"
)

// Options says how an emulator is set up. Only the fixture is needed.
type Options struct {
	// Fixture is what the accounts hold at the start.
	Fixture *fixtures.Fixture
	// EvaluateIAM judges every call by the policies of its caller. A fixture
	// may say otherwise for an account.
	EvaluateIAM bool
	// TrustSignatures leaves the signatures of requests unchecked; the access
	// key alone then identifies the caller.
	TrustSignatures bool
	// ConsistencyDelay is how far IAM's reads and evaluation lag its writes.
	ConsistencyDelay time.Duration
	// Clock returns the time; the machine's when nil.
	Clock *clock.Clock
	// Seed makes ids and chances repeatable.
	Seed uint64
}

// Server is an emulated AWS. It is safe for concurrent use.
type Server struct {
	clock      *clock.Clock
	random     *service.Random
	requestIDs *service.Random
	verifier   *sigv4.Verifier
	trust      bool
	services   map[string]*service.Service
	control    http.Handler
	calls      *calls.Log
	faults     *faults.Set
	lag        *service.Lag
	evalLag    *service.Lag
	sessionLag *service.Lag
	paging     *service.Paging

	documentLag, activationLag *service.Lag

	sessionEnding, tierUp, tierDown, sharing duration

	channels     *datachannel.Service
	nodeChannels *controlchannel.Service

	mu        sync.RWMutex
	accounts  map[string]*Account
	buckets   *s3.Store
	hooks     []func(calls.Call)
	faulted   []func(calls.Call)
	answered  []func(calls.Call)
	observers []func(Change)
	evaluate  bool
}

// New returns an emulator that holds a fixture.
func New(o Options) (*Server, error) {
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	random := service.NewRandom(o.Seed)
	s := &Server{
		clock: o.Clock, random: random, requestIDs: service.NewRandom(o.Seed + 1), verifier: sigv4.NewVerifier(), trust: o.TrustSignatures,
		calls: calls.NewLog(), faults: faults.NewSet(service.NewRandom(o.Seed + 2)),
		lag: service.NewLag(service.NewRandom(o.Seed + 3)), evalLag: service.NewLag(service.NewRandom(o.Seed + 4)),
		sessionLag:  service.NewLag(service.NewRandom(o.Seed + 6)),
		documentLag: service.NewLag(service.NewRandom(o.Seed + 7)), activationLag: service.NewLag(service.NewRandom(o.Seed + 8)),
		paging:   service.NewPaging(service.NewRandom(o.Seed + 5)),
		accounts: map[string]*Account{}, buckets: s3.NewStore(), evaluate: o.EvaluateIAM,
	}
	s.channels = datachannel.NewService(s.sessionExited)
	s.nodeChannels = controlchannel.NewService(s.nodeConnected, s.channels.Finish)
	s.services = s.newServices()
	s.control = s.newControl()
	if o.Fixture != nil {
		for _, a := range o.Fixture.Accounts {
			if err := s.AddAccount(a); err != nil {
				return nil, err
			}
		}
	}
	s.SetConsistencyDelay(o.ConsistencyDelay)
	return s, nil
}

func (s *Server) newServices() map[string]*service.Service {
	world := &sts.World{Account: s.iamOf, Random: s.random, MayAssume: s.mayAssume, WallClock: time.Now}
	services := map[string]*service.Service{}
	for _, svc := range []*service.Service{
		iam.Service(func(r *service.Request) *iam.Account { return s.mustAccount(r).IAM }),
		world.Service(),
		ssm.Service(func(r *service.Request) *ssm.Region { return s.mustRegion(r).SSM }, s.activated),
		ec2.Service(func(r *service.Request) *ec2.Region { return s.mustRegion(r).ec2 }),
		logs.Service(func(r *service.Request) *logs.Region { return s.mustRegion(r).Logs }),
		(&kms.World{Region: s.keysOf}).Service(),
		s.buckets.Service(),
		ram.Service(func(r *service.Request) *ram.Region { return s.mustRegion(r).Shares }),
		s.messages(),
		s.messageQueue(),
	} {
		services[svc.Name] = svc
	}
	return services
}

// Close ends what the emulator does by itself: all channels.
func (s *Server) Close() {
	s.channels.Close()
	s.nodeChannels.Close()
}

// Account returns an account by its id, nil when there is none.
func (s *Server) Account(id string) *Account {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.accounts[id]
}

// Accounts returns all accounts by their ids.
func (s *Server) Accounts() []*Account {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []*Account
	for _, id := range slices.Sorted(maps.Keys(s.accounts)) {
		list = append(list, s.accounts[id])
	}
	return list
}

func (s *Server) iamOf(id string) (*iam.Account, bool) {
	a := s.Account(id)
	if a == nil {
		return nil, false
	}
	return a.IAM, true
}

// Buckets are the buckets of all accounts.
func (s *Server) Buckets() *s3.Store { return s.buckets }

func (s *Server) keysOf(account, region string) (*kms.Region, bool) {
	a := s.Account(account)
	if a == nil {
		return nil, false
	}
	return a.Region(region).Keys, true
}

// mustAccount is the account of a caller that has been authenticated.
func (s *Server) mustAccount(r *service.Request) *Account { return s.Account(r.Caller.AccountID) }

// mustRegion is what the caller's account has in the region of the request.
func (s *Server) mustRegion(r *service.Request) *Region { return s.mustAccount(r).Region(r.Region) }

// duration is a time.Duration that may be set while it is read.
type duration struct{ nanoseconds atomic.Int64 }

func (d *duration) Load() time.Duration   { return time.Duration(d.nanoseconds.Load()) }
func (d *duration) Store(t time.Duration) { d.nanoseconds.Store(int64(t)) }
