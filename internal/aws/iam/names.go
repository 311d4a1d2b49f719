package iam

import (
	"fmt"
	"regexp"
	"strings"
)

// PrincipalKind is a kind of IAM principal that policies attach to.
type PrincipalKind string

// The kinds of principals that a managed policy can be attached to.
const (
	User  PrincipalKind = "User"
	Group PrincipalKind = "Group"
	Role  PrincipalKind = "Role"
)

// Principal names a user, group or role of one account. Two principals are the
// same when their Keys are: IAM ignores the case of names.
type Principal struct {
	Kind PrincipalKind
	// Name without path, such as "user01".
	Name string
}

// Key is equal for two principals exactly when IAM holds them for the same
// one, such as "user/alice".
func (p Principal) Key() string {
	return strings.ToLower(string(p.Kind)) + "/" + nameKey(p.Name)
}

// principalOf is the principal that has that Key, its name spelt so.
func principalOf(key, name string) Principal {
	kind, _, _ := strings.Cut(key, "/")
	switch kind {
	case "user":
		return Principal{Kind: User, Name: name}
	case "group":
		return Principal{Kind: Group, Name: name}
	default:
		return Principal{Kind: Role, Name: name}
	}
}

// same reports whether IAM holds both for the same principal.
func (p Principal) same(q Principal) bool {
	return p.Kind == q.Kind && strings.EqualFold(p.Name, q.Name)
}

// String is for messages, such as `User "alice"`.
func (p Principal) String() string { return fmt.Sprintf("%s %q", p.Kind, p.Name) }

// nameKey is how a name is compared: IAM's names are unique ignoring case.
func nameKey(name string) string { return strings.ToLower(name) }

// ownedPathRoot is the IAM path below which every owner has a path of its own.
const ownedPathRoot = "/ssm-access/"

// policyNamePattern is what IAM allows as the name of a managed policy.
var policyNamePattern = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)

// Ownership distinguishes the operator's policies from all others: by path and
// form of name, never by tags, which the bulk read does not return.
type Ownership struct {
	// OwnerID of this installation, such as "0a1b2c3d".
	OwnerID string
}

// Path is the IAM path of the operator's policies, such as
// "/ssm-access/0a1b2c3d/".
func (o Ownership) Path() string { return ownedPathRoot + o.OwnerID + "/" }

// NamePrefix begins the names of the operator's policies, such as
// "ssma-0a1b2c3d-".
func (o Ownership) NamePrefix() string { return "ssma-" + o.OwnerID + "-" }

// Owns reports whether the operator owns a policy of that path and name.
func (o Ownership) Owns(path, name string) bool {
	return path == o.Path() && o.ownsName(name)
}

func (o Ownership) ownsName(name string) bool {
	return o.OwnerID != "" && policyNamePattern.MatchString(name) &&
		strings.HasPrefix(nameKey(name), nameKey(o.NamePrefix()))
}
