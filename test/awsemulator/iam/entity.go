package iam

import (
	"slices"
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// Kind is the kind of an IAM entity that policies attach to.
type Kind string

// The kinds of entity.
const (
	User  Kind = "User"
	Group Kind = "Group"
	Role  Kind = "Role"
)

// Entity is a user, a group or a role. It is immutable: operations replace it.
type Entity struct {
	Kind                Kind
	Name, Path, ARN, ID string
	Description         string
	Created             time.Time
	MaxSessionDuration  int32
	Attached            []string // policy ARNs in the order of attachment
	Inline              []Inline // by name
	Groups              []string // names, of a user
	Tags                []service.Tag
	Boundary            string // policy ARN
	Trust               Document
}

// Inline is a policy embedded in an entity.
type Inline struct {
	Name string
	Document
}

// Document is a policy document as it was written and as it is evaluated.
type Document struct {
	Text   string
	Parsed *authz.Document
}

// Policy is a customer managed policy or one of AWS's.
type Policy struct {
	Name, Path, ARN, ID, Description string
	Created, Updated                 time.Time
	Tags                             []service.Tag
	Versions                         []*Version // newest first
	Default                          string     // id of the default version
	NextVersion                      int
	AWSManaged                       bool
}

// Version is one version of a managed policy.
type Version struct {
	ID      string
	Created time.Time
	Document
}

// DefaultVersion returns the default version, which IAM evaluates.
func (p *Policy) DefaultVersion() *Version { return p.version(p.Default) }

func (p *Policy) version(id string) *Version {
	for _, v := range p.Versions {
		if v.ID == id {
			return v
		}
	}
	return nil
}

// key is what names are unique by: whatever the path, ignoring case.
func key(name string) string { return strings.ToLower(name) }

// with returns a copy of the entity that change has changed. change replaces
// slices, it never writes into them.
func (e *Entity) with(change func(*Entity)) *Entity {
	next := *e
	change(&next)
	return &next
}

func (p *Policy) with(change func(*Policy)) *Policy {
	next := *p
	change(&next)
	return &next
}

func (e *Entity) attached(arn string) bool { return slices.Contains(e.Attached, arn) }

func (e *Entity) inline(name string) (int, bool) {
	return slices.BinarySearchFunc(e.Inline, name, func(i Inline, n string) int { return strings.Compare(i.Name, n) })
}

// protected reports whether only AWS may change the entity: service-linked
// roles and the roles of IAM Identity Center.
func (e *Entity) protected() bool {
	return e.Kind == Role && (strings.HasPrefix(e.Path, "/aws-service-role/") || strings.HasPrefix(e.Path, "/aws-reserved/"))
}

// added returns list with item at its end, list itself untouched.
func added[T any](list []T, item T) []T { return append(slices.Clip(list), item) }

// removed returns list less item, list itself untouched.
func removed[T comparable](list []T, item T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool { return x == item })
}
