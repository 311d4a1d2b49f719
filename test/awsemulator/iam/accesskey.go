package iam

import (
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// AccessKey is a set of credentials.
type AccessKey struct {
	ID, Secret string
	// SessionToken belongs to temporary credentials; empty for long-term ones.
	SessionToken string
	// Owner is a user or role of the account; empty for the root user's key.
	OwnerKind Kind
	Owner     string
	// SessionName is that of a role session.
	SessionName string
	// FederatedName is the name of a user's token of GetFederationToken.
	FederatedName string
	// MFA means, for temporary credentials, that the caller used a second
	// factor.
	MFA bool
	// MFAAt is when.
	MFAAt time.Time
	// Expires is in the machine's time, by which clients judge it too; zero
	// never expires.
	Expires time.Time
	// SessionPolicies narrow a role session or a federated token.
	SessionPolicies []authz.Policy
}

// AddKey makes credentials valid.
func (a *Account) AddKey(k AccessKey) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[k.ID] = &k
}

// RemoveKey makes credentials invalid.
func (a *Account) RemoveKey(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.keys, id)
}

// Key finds credentials by their id.
func (a *Account) Key(id string) (AccessKey, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	k, ok := a.keys[id]
	if !ok {
		return AccessKey{}, false
	}
	return *k, true
}

// Keys lists the credentials that an entity owns.
func (a *Account) Keys(kind Kind, name string) []AccessKey {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var owned []AccessKey
	for _, k := range a.keys {
		if k.OwnerKind == kind && key(k.Owner) == key(name) {
			owned = append(owned, *k)
		}
	}
	return owned
}

// Caller returns the identity behind credentials, as the state knows it. It
// reports false when their owner does not exist any more.
func (a *Account) Caller(s *State, k AccessKey) (service.Caller, bool) {
	c := service.Caller{AccountID: a.ID, Partition: a.Partition, AccessKeyID: k.ID, SessionPolicies: k.SessionPolicies}
	if k.SessionToken != "" {
		mfa := k.MFA
		c.MFA, c.MFAAt = &mfa, k.MFAAt
	}
	switch k.OwnerKind {
	case User, Role:
		e, ok := s.Entity(k.OwnerKind, k.Owner)
		if !ok {
			return c, false
		}
		c = a.callerOf(c, e, k.SessionName)
		if k.FederatedName != "" {
			c = Federated(c, k.FederatedName)
		}
		return c, true
	default:
		c.Kind, c.UserID = service.RootCaller, a.ID
		c.ARN = "arn:" + a.Partition + ":iam::" + a.ID + ":root"
		c.PrincipalARN = c.ARN
		return c, true
	}
}

// CallerOf returns the identity of a user, or of a role's session, without
// credentials: for questions about what it may do.
func (a *Account) CallerOf(e *Entity, sessionName string) service.Caller {
	return a.callerOf(service.Caller{AccountID: a.ID, Partition: a.Partition}, e, sessionName)
}

func (a *Account) callerOf(c service.Caller, e *Entity, sessionName string) service.Caller {
	c.Name, c.PrincipalARN, c.Tags = e.Name, e.ARN, e.Tags
	if e.Kind == User {
		c.Kind, c.ARN, c.UserID = service.UserCaller, e.ARN, e.ID
		return c
	}
	c.Kind, c.SessionName = service.RoleCaller, sessionName
	c.ARN = "arn:" + a.Partition + ":sts::" + a.ID + ":assumed-role/" + e.Name + "/" + sessionName
	c.UserID = e.ID + ":" + sessionName
	return c
}

// Federated makes a user's token of GetFederationToken of the user. The
// emulator does not emulate the tags that AWS sets: the token has none.
func Federated(c service.Caller, name string) service.Caller {
	c.Kind, c.SessionName, c.Tags = service.FederatedCaller, name, nil
	c.ARN = "arn:" + c.Partition + ":sts::" + c.AccountID + ":federated-user/" + name
	c.PrincipalARN, c.UserID = c.ARN, c.AccountID+":"+name
	return c
}

// denyAll replaces a boundary that is gone: it allows nothing.
var denyAll = mustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`)

func mustParse(text string) *authz.Document {
	document, err := authz.Parse([]byte(text))
	if err != nil {
		panic(err) // the text is part of the program
	}
	return document
}

// PoliciesOf gathers the policies that apply to a caller's requests: its
// identity policies with those of its groups, its boundary and its session
// policies. ok is false when the caller's entity does not exist in the state.
func PoliciesOf(s *State, c service.Caller) (p authz.Policies, ok bool) {
	kind := User
	if c.Kind == service.RoleCaller {
		kind = Role
	}
	e, ok := s.Entity(kind, c.Name)
	if !ok {
		return p, false
	}
	p.Identity = s.identityPolicies(e)
	for _, group := range e.Groups {
		if g, ok := s.Entity(Group, group); ok {
			p.Identity = append(p.Identity, s.identityPolicies(g)...)
		}
	}
	if e.Boundary != "" {
		boundary := authz.Policy{Name: e.Boundary, Document: denyAll}
		if policy, ok := s.Policy(e.Boundary); ok {
			boundary.Document = policy.DefaultVersion().Parsed
		}
		p.Boundary = &boundary
	}
	p.Session = c.SessionPolicies
	if !strings.HasPrefix(e.Path, "/aws-service-role/") { // No service control policy applies to these.
		p.Organization = s.organization
	}
	return p, true
}

func (s *State) identityPolicies(e *Entity) []authz.Policy {
	policies := make([]authz.Policy, 0, len(e.Inline)+len(e.Attached))
	for _, i := range e.Inline {
		policies = append(policies, authz.Policy{Name: i.Name, Document: i.Parsed})
	}
	for _, arn := range e.Attached {
		if p, ok := s.Policy(arn); ok {
			policies = append(policies, authz.Policy{Name: arn, Document: p.DefaultVersion().Parsed})
		}
	}
	return policies
}
