package iam

import "time"

// Presence is whether something exists.
type Presence uint8

// Unknown is the zero value: never read, or written with unknown effect.
const (
	Unknown Presence = iota
	Present
	Absent
)

// PrincipalView is what the cache knows of a principal.
type PrincipalView struct {
	Principal
	// ID is IAM's unique id, such as AIDA…: it differs when a principal was deleted
	// and another one got its name. "" when not known.
	ID string
	// Presence is Unknown until the cache is filled or the principal looked up.
	Presence Presence
	// Path such as "/" or "/aws-service-role/ssm.amazonaws.com/".
	Path string
	// Boundary is the ARN of the permissions boundary; "" when there is none.
	Boundary string
	// Groups of a user, by name, sorted.
	Groups []string
	// Attached are the names of the operator's policies that are attached to
	// it, or may be (attachment Unknown), sorted.
	Attached []string
	// ForeignAttachments is the number of other managed policies attached; they
	// count for the quota.
	ForeignAttachments int
	// Complete is false when only a point read found the principal: groups and
	// foreign attachments are then not known before the next Refresh.
	Complete bool
}

// PolicyView is what the cache knows about one of the operator's policies.
type PolicyView struct {
	Name, ARN string
	// Presence of the policy. Unknown after a write of unknown effect.
	Presence Presence
	// PresenceProven: see the package comment.
	PresenceProven bool
	// Document of the default version, decoded; "" when not known.
	Document string
	// DocumentProven: Document is the default version's and stays so unless
	// someone else changes it.
	DocumentProven bool
	// DefaultVersion such as "v3"; "" when not known.
	DefaultVersion string
	// Versions, oldest first; nil when not known.
	Versions []Version
	// Attachments that exist, or may exist (Unknown), or are gone but not
	// proven so (Absent). A principal that is not listed is not attached;
	// OthersProven reports whether that is proven.
	Attachments []Attachment
	// OthersProven: no principal beyond those listed is attached, proven.
	OthersProven bool
	// SettlesAt is the earliest time at which a read (LookUpPolicy or Refresh)
	// proves all of the above; zero when all is proven already.
	SettlesAt time.Time
}

// Version of a managed policy.
type Version struct {
	ID      string
	Default bool
	// Document of the version, decoded; "" when not known.
	Document string
}

// Attachment of a policy to a principal.
type Attachment struct {
	Principal
	Presence Presence
	Proven   bool
}

// Gone reports whether the policy is proven not to exist.
func (v PolicyView) Gone() bool { return v.Presence == Absent && v.PresenceProven }

// AttachedTo lists the principals that the policy is attached to or may be.
func (v PolicyView) AttachedTo() []Principal {
	var out []Principal
	for _, a := range v.Attachments {
		if a.Presence != Absent {
			out = append(out, a.Principal)
		}
	}
	return out
}

// Attachment reports whether the policy is attached to p, and whether that is
// proven.
func (v PolicyView) Attachment(p Principal) (presence Presence, proven bool) {
	if v.Gone() {
		return Absent, true
	}
	for _, a := range v.Attachments {
		if a.Key() == p.Key() {
			return a.Presence, a.Proven
		}
	}
	if v.Presence == Unknown && !v.OthersProven {
		return Unknown, false
	}
	return Absent, v.OthersProven
}
