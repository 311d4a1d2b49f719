// Package service holds what the emulated services share: who calls, what an
// operation is, and the checks of parameters that AWS makes alike everywhere.
package service

import (
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// CallerKind is the kind of identity behind a set of credentials.
type CallerKind string

// The kinds of caller.
const (
	UserCaller CallerKind = "User"
	RoleCaller CallerKind = "Role"
	RootCaller CallerKind = "Root"
	// FederatedCaller is a token of GetFederationToken: the policies of its user,
	// narrowed by the session policies, under a name that the user chose.
	FederatedCaller CallerKind = "FederatedUser"
	// NodeCaller is a node that signs with the key that it registered. No policy says
	// what it may do.
	NodeCaller CallerKind = "Node"
)

// Caller is the identity behind a request.
type Caller struct {
	AccountID, Partition string
	Kind                 CallerKind
	// Name is the user's or role's name; empty for the root user. For a
	// federated caller it is the user who asked for the token.
	Name string
	// SessionName is the name of the role session or of the federated token; empty
	// for other kinds.
	SessionName string
	// ARN is what GetCallerIdentity answers: arn:P:iam::A:user/path/N,
	// arn:P:sts::A:assumed-role/R/S, arn:P:sts::A:federated-user/N or
	// arn:P:iam::A:root.
	ARN string
	// PrincipalARN is the IAM entity: for a role session the role's ARN.
	PrincipalARN string
	// UserID is aws:userid: AIDA…, AROA…:session, the account id with the name of
	// the federated token, or the account id.
	UserID string
	// AccessKeyID is the key that signed the request.
	AccessKeyID string
	// MFA is nil for long-term credentials, which carry no such key.
	MFA *bool
	// MFAAt is when the second factor was given.
	MFAAt time.Time
	// Tags are the entity's own, for aws:PrincipalTag.
	Tags []Tag
	// SessionPolicies narrow a role session further.
	SessionPolicies []authz.Policy
}

// Tag is a key and its value.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// SessionOwnerName is the part of a session id before its suffix.
func (c Caller) SessionOwnerName() string {
	switch c.Kind {
	case UserCaller:
		return c.Name
	case RoleCaller, FederatedCaller:
		return c.SessionName
	default:
		return "root"
	}
}

// Describe sets the condition keys that every request of this caller has.
func (c Caller) Describe(ctx *authz.Context) {
	ctx.Set("aws:PrincipalArn", c.PrincipalARN)
	ctx.Set("aws:PrincipalAccount", c.AccountID)
	ctx.Set("aws:userid", c.UserID)
	switch c.Kind {
	case UserCaller:
		ctx.Set("aws:PrincipalType", "User")
		ctx.Set("aws:username", c.Name)
	case RoleCaller:
		ctx.Set("aws:PrincipalType", "AssumedRole")
	case FederatedCaller:
		ctx.Set("aws:PrincipalType", "FederatedUser") // Without aws:username.
	case RootCaller:
		ctx.Set("aws:PrincipalType", "Account")
	case NodeCaller:
	}
	for _, t := range c.Tags {
		ctx.Set("aws:PrincipalTag/"+t.Key, t.Value)
	}
}
