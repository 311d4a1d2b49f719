package policy

// Session is an open session, as DescribeSessions tells of it and as we know its
// node and owner.
type Session struct {
	// Owner is the ARN of who opened it.
	Owner string
	// OwnerGroups are the groups of which the owner, an IAM user, is a member.
	OwnerGroups []string
	// Target is the node's id, i-… or mi-…
	Target string
	// Tags are the node's tags.
	Tags map[string]string
	// Region of the node.
	Region string
	// Document is the name or ARN of the session document; empty means the default.
	Document string
}

// Covers reports whether the grant, given to the principals, allows the session:
// its owner (directly or through a group), node, region and document. Time, MFA
// and addresses are not looked at: use [Grant.Active].
func Covers(acct Account, g Grant, principals []Principal, s Session) bool { return false }

// Owner is who a session belongs to.
type Owner struct {
	Account   Account
	Principal Principal
}

// OwnerOf reads the owner's ARN of a session: an IAM user, or the role or
// permission set of an assumed role. False for anything else, such as root.
func OwnerOf(arn string) (Owner, bool) { return Owner{}, false }
