package policy

// ParsedName is what the name of a policy tells.
type ParsedName struct {
	// Owner is the 8 hex digits of the operator's owner id.
	Owner string
	Kind  Kind
	// Label is the principal's name in lower case, cut at 80 characters.
	Label string
	// Hash is the 12 hex digits that identify the principal.
	Hash string
	// Shard counts from 1.
	Shard int
}

// Name is the name of a policy of the principal.
func Name(owner string, p Principal, shard int) string { return "" }

// Prefix is what the names of all shards of the principal begin with; it ends in "-".
func Prefix(owner string, p Principal) string { return "" }

// Path is the IAM path of all policies of the owner.
func Path(owner string) string { return "/ssm-access/" + owner + "/" }

// ParseName takes a policy's name apart; false means that it is not ours by form.
func ParseName(name string) (ParsedName, bool) { return ParsedName{}, false }

// ValidOwner reports whether owner is 8 lower-case hex digits.
func ValidOwner(owner string) bool { return false }
