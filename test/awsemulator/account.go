package awsemulator

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ec2"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/kms"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/logs"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/network"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ram"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
)

// Account is one emulated account.
type Account struct {
	ID, Partition string
	// IAM is the account's IAM, to look into and to change behind the
	// operator's back.
	IAM *iam.Account

	newRegion func(name string) *Region

	mu       sync.RWMutex
	evaluate *bool
	regions  map[string]*Region
}

// Region is what an account has in one region.
type Region struct {
	// Fleet is the machines, Network what connects them, SSM the sessions,
	// documents, activations and settings.
	Fleet   *fleet.Fleet
	Network *network.Network
	SSM     *ssm.Region
	// Keys and Logs are what sessions are encrypted by and logged to. Buckets are
	// the server's.
	Keys *kms.Region
	Logs *logs.Region
	// Shares are the resource shares of RAM.
	Shares *ram.Region
	// Stack breaks what the machines need to be reached, and mends it.
	Stack *stack.Stack

	ec2 *ec2.Region
}

// AddAccount puts another account into the emulator.
func (s *Server) AddAccount(f fixtures.Account) error {
	partition := f.Partition
	if partition == "" {
		partition = "aws"
	}
	account := &Account{ID: f.ID, Partition: partition, evaluate: f.EvaluateIAM, regions: map[string]*Region{}}
	account.newRegion = func(name string) *Region { return s.newRegion(account, name) }
	account.IAM = iam.NewAccount(iam.Options{
		ID: f.ID, Partition: partition, Now: s.clock.Now, Random: s.random, Lag: s.lag, EvaluationLag: s.evalLag, Paging: s.paging,
		Changed: func(now time.Time, state *iam.State) {
			s.changed(Change{Time: now, AccountID: f.ID, Service: "iam", IAM: state})
		},
	})
	if err := account.load(f); err != nil {
		return fmt.Errorf("load the fixture: account %s: %w", f.ID, err)
	}
	// From here on: what the fixture brings has always been there.
	c := s.Consistency()
	account.IAM.Keep(max(c.Reads, c.Evaluation))
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.accounts[f.ID]; ok {
		return fmt.Errorf("load the fixture: account %s is there twice", f.ID)
	}
	for region, content := range f.Regions {
		scope := service.Scope{Partition: partition, Region: region, AccountID: f.ID}
		if err := s.buckets.Load(scope, content.Buckets); err != nil {
			return fmt.Errorf("load the fixture: account %s: %w", f.ID, err)
		}
	}
	s.accounts[f.ID] = account
	return nil
}

func (a *Account) load(f fixtures.Account) error {
	if err := a.IAM.Load(f); err != nil {
		return err
	}
	for name, content := range f.Regions {
		region := a.Region(name)
		if err := region.load(content); err != nil {
			return err
		}
		if err := a.addProfiles(content.Instances); err != nil {
			return err
		}
		if err := region.SSM.Load(content); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) newRegion(a *Account, name string) *Region {
	scope := service.Scope{Partition: a.Partition, Region: name, AccountID: a.ID}
	changed := func(now time.Time) {
		s.changed(Change{Time: now, AccountID: a.ID, Region: name, Service: "ssm"})
	}
	var systems *ssm.Region
	shares := ram.NewRegion(ram.Options{
		Scope: scope, Now: s.clock.Now, Random: s.random, Paging: s.paging, Takes: s.sharing.Load, Changed: changed,
		Exists: func(arn string) bool { return systems.HasDocument(arn) },
	})
	f := fleet.New(s.clock.Now, changed)
	systems = ssm.NewRegion(ssm.Options{
		Scope: scope, Fleet: f, Now: s.clock.Now, Random: s.random, Paging: s.paging, Changed: changed,
		Lag: s.sessionLag, DocumentLag: s.documentLag, ActivationLag: s.activationLag, EndingTime: s.sessionEnding.Load,
		TierTimes:   func() ssm.TierTimes { return ssm.TierTimes{Up: s.tierUp.Load(), Down: s.tierDown.Load()} },
		ServiceRole: func(now time.Time, role string) ssm.ServiceRole { return s.serviceRole(a, name, now, role) },
		MakeRole:    a.makeRole,
		SharedWith:  shares.SharedWith,
		UseOfKey: func(key string) service.Check {
			return (&kms.World{Region: s.keysOf}).Check(scope, "GenerateDataKey", key)
		},
		Channel: func(req *service.Request, session *ssm.Session) (string, string) {
			return s.openChannel(a, name, req, session)
		},
		Closed:       s.closeChannels,
		RoleToken:    func(role, node string) (ssm.RoleToken, error) { return s.roleToken(a, role, node) },
		Deregistered: s.nodeChannels.Cut,
		Elsewhere: func(account string) *ssm.Region {
			if other := s.Account(account); other != nil {
				return other.Region(name).SSM
			}
			return nil
		},
	})
	systems.Keep(s.Consistency().ofSSM())
	vpcs := network.New(scope, s.clock.Now)
	r := &Region{
		Fleet: f, Network: vpcs, SSM: systems, Keys: kms.NewRegion(scope, s.clock.Now), Logs: logs.NewRegion(scope, s.clock.Now, s.paging), Shares: shares,
		ec2: &ec2.Region{Scope: scope, Fleet: f, Network: vpcs, Paging: s.paging, Profile: a.profile},
	}
	r.Stack = stack.New(stack.Parts{IAM: a.IAM, Fleet: f, Network: vpcs, Keys: r.Keys, Logs: r.Logs, Buckets: s.buckets})
	return r
}

// makeRole makes a role that Systems Manager may assume, unless it is there.
func (a *Account) makeRole(path, name string) (arn string, err error) {
	if role, ok := a.IAM.Latest().Entity(iam.Role, name); ok {
		return role.ARN, nil
	}
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	if err := a.IAM.AddRole(fixtures.Role{Name: name, Path: path, Trust: []byte(trust)}); err != nil {
		return "", err
	}
	role, _ := a.IAM.Latest().Entity(iam.Role, name)
	return role.ARN, nil
}

// profile finds the ARN and id of an instance profile.
func (a *Account) profile(name string) (arn, id string, ok bool) {
	p, ok := a.IAM.Latest().InstanceProfile(name)
	if !ok {
		return "", "", false
	}
	return p.ARN, p.ID, true
}

// addProfiles makes the instance profiles that instances have and the fixture
// does not list, for the roles of the same names.
func (a *Account) addProfiles(instances []fixtures.Instance) error {
	for _, i := range instances {
		state := a.IAM.Latest()
		_, listed := state.InstanceProfile(i.InstanceProfile)
		_, isRole := state.Entity(iam.Role, i.InstanceProfile)
		if listed || !isRole {
			continue
		}
		if err := a.IAM.AddInstanceProfile(fixtures.InstanceProfile{Name: i.InstanceProfile, Role: i.InstanceProfile}); err != nil {
			return err
		}
	}
	return nil
}

// load puts the content of a fixture into the region.
func (r *Region) load(f fixtures.Region) error {
	if err := r.Network.Load(f.Network); err != nil {
		return err
	}
	if err := r.Keys.Load(f.Keys); err != nil {
		return err
	}
	r.Logs.Load(f.LogGroups)
	return r.Fleet.Load(f)
}

// Region returns what the account has in a region; empty where it has nothing.
func (a *Account) Region(name string) *Region {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.regions[name]
	if !ok {
		r = a.newRegion(name)
		a.regions[name] = r
	}
	return r
}

// Regions yields the regions in which there is or was anything, by name.
func (a *Account) Regions() iter.Seq2[string, *Region] {
	a.mu.RLock()
	regions := maps.Clone(a.regions)
	a.mu.RUnlock()
	return func(yield func(string, *Region) bool) {
		for _, name := range slices.Sorted(maps.Keys(regions)) {
			if !yield(name, regions[name]) {
				return
			}
		}
	}
}

// resourceContext holds the tags of a resource that the emulator knows, as
// condition keys.
func (s *Server) resourceContext(arn string) authz.Context {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return authz.Context{}
	}
	account := s.Account(parts[4])
	if account == nil {
		return authz.Context{}
	}
	switch parts[2] {
	case "ssm", "ec2", "ssmmessages":
		return account.Region(parts[3]).SSM.ResourceContext(arn)
	case "iam":
		return account.IAM.ResourceContext(arn)
	}
	return authz.Context{}
}
