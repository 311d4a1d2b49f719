package policy

import "strings"

// Kind is the kind of a principal, spelt as in the API.
type Kind string

const (
	// User is an IAM user.
	User Kind = "User"
	// Group is an IAM group.
	Group Kind = "Group"
	// Role is an IAM role that people assume.
	Role Kind = "Role"
	// PermissionSet is a permission set of IAM Identity Center.
	PermissionSet Kind = "PermissionSet"
)

// Principal is who gets access: the unit that owns policies.
type Principal struct {
	Kind Kind
	// Name is the name alone, without path. IAM ignores its case.
	Name string
}

// String is "User/user01", for messages.
func (p Principal) String() string { return string(p.Kind) + "/" + p.Name }

// Key is the identity of a principal, for maps and comparisons: its kind and
// its name in lower case, as in "User/user01". IAM names differ in more than case.
func Key(p Principal) string { return string(p.Kind) + "/" + strings.ToLower(p.Name) }
