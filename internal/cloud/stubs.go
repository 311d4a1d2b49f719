package cloud

import (
	"context"
	"errors"
	"time"
)

type Pool struct{}

func NewPool(PoolOptions) *Pool         { return &Pool{} }
func (p *Pool) Account(Config) *Account { return &Account{} }
func (p *Pool) Forget(accountID string) {}
func (p *Pool) Ownership() Ownership    { return Ownership{} }

type Account struct{}

type Identity struct{ ARN, AccountID, Partition string }

type Quotas struct {
	AttachedPoliciesPerUser, AttachedPoliciesPerGroup, AttachedPoliciesPerRole int
	PolicySize, VersionsPerPolicy, Policies, PoliciesUsed, GroupsPerUser       int
}

// AttachedPoliciesPer returns the quota of attached managed policies for a kind.
func (q Quotas) AttachedPoliciesPer(PrincipalKind) int { return 0 }

func (a *Account) Identity(context.Context) (Identity, error) {
	return Identity{}, errors.ErrUnsupported
}
func (a *Account) Quotas(context.Context) (Quotas, error) { return Quotas{}, errors.ErrUnsupported }
func (a *Account) Rates() map[string]float64              { return nil }
func (a *Account) Mirror() *Mirror                        { return &Mirror{} }
func (a *Account) LookUpPrincipal(context.Context, Principal) (PrincipalView, error) {
	return PrincipalView{}, errors.ErrUnsupported
}
func (a *Account) LookUpPolicy(context.Context, string) (PolicyView, error) {
	return PolicyView{}, errors.ErrUnsupported
}

type NewPolicy struct {
	Name, Description, Document string
	Tags                        map[string]string
}

func (a *Account) CreatePolicy(context.Context, NewPolicy) error { return errors.ErrUnsupported }
func (a *Account) PutDocument(_ context.Context, name, document string) error {
	return errors.ErrUnsupported
}
func (a *Account) Attach(_ context.Context, policy string, to Principal) error {
	return errors.ErrUnsupported
}
func (a *Account) Detach(_ context.Context, policy string, from Principal) error {
	return errors.ErrUnsupported
}
func (a *Account) DeletePolicy(_ context.Context, name string) error { return errors.ErrUnsupported }

type Mirror struct{}

func (m *Mirror) Refresh(context.Context) (RefreshReport, error) {
	return RefreshReport{}, errors.ErrUnsupported
}
func (m *Mirror) Filled() bool                                   { return false }
func (m *Mirror) Principal(Principal) PrincipalView              { return PrincipalView{} }
func (m *Mirror) Policy(name string) PolicyView                  { return PolicyView{} }
func (m *Mirror) PoliciesWithPrefix(string) ([]PolicyView, bool) { return nil, false }
func (m *Mirror) OurNames() []string                             { return nil }
func (m *Mirror) UserNames() []string                            { return nil }
func (m *Mirror) UserNamesWithPrefix(string) []string            { return nil }
func (m *Mirror) Members(group string) []string                  { return nil }
func (m *Mirror) GroupsOf(user string) []string                  { return nil }
func (m *Mirror) ForeignOwners(Principal) []ForeignPolicy        { return nil }
func (m *Mirror) PolicyCount() int                               { return 0 }

type ForeignPolicy struct{ OwnerID, Name, ARN string }

type DriftKind string

type Drift struct {
	Kind      DriftKind
	Policy    string
	Principal *Principal
}

type RefreshReport struct {
	First                                       bool
	Begun                                       time.Time
	Drifts                                      []Drift
	Resolved                                    []string
	Principals                                  []Principal
	Users, Groups, Roles, Policies, AllPolicies int
}

type Priority uint8

const (
	Revocation Priority = iota + 1
	Grant
	Resync
)

func WithPriority(ctx context.Context, p Priority) context.Context { return ctx }
func Classify(err error) Class                                     { return None }
func Action(err error) string                                      { return "" }
func Sentence(err error) string                                    { return "" }

type SessionFilter struct{ OwnerARN, Target string }
type Session struct {
	ID, Owner, Target, Document, Status string
	Start                               time.Time
}

func (a *Account) CanListSessions(_ context.Context, region string) error {
	return errors.ErrUnsupported
}
func (a *Account) ActiveSessions(_ context.Context, region string, _ SessionFilter) ([]Session, error) {
	return nil, errors.ErrUnsupported
}
func (a *Account) TerminateSession(_ context.Context, region, id string) error {
	return errors.ErrUnsupported
}
func (a *Account) NodeTags(_ context.Context, region string, ids []string) (map[string]map[string]string, error) {
	return nil, errors.ErrUnsupported
}
