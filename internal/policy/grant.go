package policy

import "time"

// DefaultDocument is the document of a session that names none.
const DefaultDocument = "SSM-SessionManagerRunShell"

// Account is the AWS account that policies are written for.
type Account struct {
	// ID has 12 digits.
	ID string
	// Partition is aws, aws-cn, aws-us-gov or another of that form.
	Partition string
}

// Client is a program from which sessions are opened, spelt as in the API.
type Client string

const (
	// SessionManagerConsole is the Session Manager and Fleet Manager consoles.
	SessionManagerConsole Client = "SessionManagerConsole"
	// EC2Console is the Connect button of the EC2 console.
	EC2Console Client = "EC2Console"
	// CLI is the AWS CLI with the Session Manager plugin.
	CLI Client = "CLI"
)

// Scope says how a principal's own sessions are recognised, spelt as in the API.
type Scope string

const (
	// Username recognises them by the IAM user's name, with which their ids begin.
	Username Scope = "Username"
	// OwnerTag recognises them by the owner that AWS tags them with.
	OwnerTag Scope = "OwnerTag"
)

// DataChannelScope says for which sessions a data channel may be opened,
// spelt as in the API.
type DataChannelScope string

const (
	// DataChannelOwn means the principal's own sessions, where IAM can
	// distinguish them.
	DataChannelOwn DataChannelScope = "Own"
	// DataChannelAccount means all sessions of the account.
	DataChannelAccount DataChannelScope = "Account"
)

// Grant is one SessionAccess with its references resolved.
type Grant struct {
	// ID is a stable identity, such as the object's UID. It appears in reports
	// and errors only, never in a document.
	ID string
	// Targets are the nodes, any of them. At least one.
	Targets []Target
	// Excluded are tags that none of the nodes may carry, each key once.
	Excluded []ExcludedTag
	// Regions of the nodes and documents. At least one.
	Regions []string
	// Documents that sessions may use. At least one.
	Documents []Document
	// Clients bring the read permissions they need; none is allowed.
	Clients []Client
	// OwnSessions says which sessions may be resumed and terminated. Empty means
	// Username. Roles and permission sets always have OwnerTag.
	OwnSessions Scope
	// DataChannel says for which sessions a data channel may be opened. Empty
	// means Own.
	DataChannel DataChannelScope
	// NotBefore and NotAfter bound the grant in time; zero means unbounded.
	NotBefore, NotAfter time.Time
	// RequireMFA asks for credentials issued with multi-factor authentication.
	RequireMFA bool
	// SourceCIDRs are the addresses that AWS must be called from; none means any.
	SourceCIDRs []string
	// HeldOnly keeps what is held of the grant and adds nothing: whether the grant is
	// allowed is not decided yet.
	HeldOnly bool
}

// Target is a set of nodes. Ids and tags together must both hold; tags alone
// mean every node that carries all of them. One of the two is needed.
type Target struct {
	// InstanceIDs are i-… and mi-…
	InstanceIDs []string
	// Tags are matched by key whatever its case, as IAM does.
	Tags map[string]string
	// HybridIn limits tags to the hybrid nodes of that region, one of the grant's.
	// Empty means all nodes in all the grant's regions.
	HybridIn string
}

// Document is a session document, of the account or of AWS.
type Document struct {
	// Name, or the ARN of a document that another account shares.
	Name string
	// KMSKeyARN is the key that sessions with it are encrypted with, if any. A
	// document whose key differs by region is listed once for each.
	KMSKeyARN string
}

// Expired reports whether the grant is over at now: it then grants nothing.
func (g Grant) Expired(now time.Time) bool {
	return !g.NotAfter.IsZero() && !g.NotAfter.After(now)
}

// Active reports whether the grant has begun and not ended at now.
func (g Grant) Active(now time.Time) bool {
	return !g.Expired(now) && !g.NotBefore.After(now)
}
