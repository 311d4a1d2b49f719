package iam

import (
	"cmp"
	"slices"
	"strings"
)

// policy is one of the operator's policies as the cache holds it. Different
// calls write its three parts (that it exists, what its default version says,
// whom it is attached to), so each is proven or unknown by itself.
type policy struct {
	// name as IAM spells it.
	name string

	presence  Presence
	existence consistency

	// document and id of the default version; "" when not known.
	document       string
	defaultVersion string
	// versions by id, oldest first; nil when not known.
	versions []string
	// old are the documents of versions that are not the default, by id, as far as
	// they are known. Views share the map: it is replaced, never changed.
	old     map[string]string
	content consistency

	// attachments that exist, may exist, or existed recently.
	attachments []attachment
	// others is the consistency state of the fact that no other principal is attached.
	others consistency
}

type attachment struct {
	principal   Principal
	presence    Presence
	consistency consistency
}

// observed is a policy as one read found it.
type observed struct {
	name string
	// listed is false when only an attachment shows that the policy exists.
	listed         bool
	document       string
	defaultVersion string
	versions       []string
	// old are the documents of the other versions, by id, where the read gave them.
	old      map[string]string
	attached []Principal
}

// reading is when and how something was read.
type reading struct {
	begun monotonicTime
	// point: this entry alone was read, rather than the whole account.
	point bool
}

// settle reports whether a part in that consistency state takes over what was read.
// While the part is unknown, it takes over a point read although that proves
// nothing.
func (r reading) settle(e *consistency) bool {
	return e.admits(r.begun) || (r.point && e.refinable(r.begun))
}

// take merges what a read found, nil when it found no such policy, and returns
// how that differs from the cache's previous state.
func (p *policy) take(seen *observed, r reading) findings {
	var f findings
	before := p.presence
	if r.settle(&p.existence) {
		p.presence = Present
		if seen == nil {
			p.presence = Absent
		}
		f.existence(p.name, before, p.presence)
	}
	if seen == nil {
		seen = &observed{listed: true}
	}
	// The content and the attachments of a policy that appeared or vanished are
	// no drift of their own.
	quiet := before != Present || p.presence != Present
	p.takeContent(seen, r, quiet, &f)
	p.takeAttachments(seen, r, quiet, &f)
	if seen.name != "" {
		p.name = seen.name
	}
	return f
}

func (p *policy) takeContent(seen *observed, r reading, quiet bool, f *findings) {
	if !seen.listed || !r.settle(&p.content) {
		return
	}
	if !quiet {
		f.content(p, seen)
	}
	p.old = p.oldAfter(seen)
	p.document, p.defaultVersion, p.versions = seen.document, seen.defaultVersion, seen.versions
}

func (p *policy) takeAttachments(seen *observed, r reading, quiet bool, f *findings) {
	var kept []attachment
	for _, a := range p.attachments {
		if before := a.presence; r.settle(&a.consistency) {
			a.presence = Absent
			if slices.ContainsFunc(seen.attached, a.principal.same) {
				a.presence = Present
			}
			if !quiet {
				f.attachment(p.name, a.principal, before, a.presence)
			}
		}
		kept = append(kept, a)
	}
	othersSettled := p.others.admits(r.begun)
	for _, principal := range seen.attached {
		if !othersSettled || p.attachmentOf(principal) != nil {
			continue
		}
		kept = append(kept, attachment{principal: principal, presence: Present, consistency: consistency{read: r.begun}})
		if !quiet {
			f.attachment(p.name, principal, Absent, Present)
		}
	}
	// What is gone, and seen so by the same read as all others, needs no entry.
	p.attachments = slices.DeleteFunc(kept, func(a attachment) bool {
		return a.presence == Absent && a.consistency.own == nil && p.others.own == nil && p.others.read >= a.consistency.read
	})
}

// attachmentOf is the entry for the principal; nil when there is none.
func (p *policy) attachmentOf(principal Principal) *attachment {
	for i := range p.attachments {
		if p.attachments[i].principal.same(principal) {
			return &p.attachments[i]
		}
	}
	return nil
}

// idle reports whether an absent policy's entry says no more than its lack
// would, once a read of the whole account has not found it.
func (p *policy) idle() bool {
	if p.presence != Absent || p.existence.own != nil || p.content.own != nil || p.others.own != nil {
		return false
	}
	return !slices.ContainsFunc(p.attachments, func(a attachment) bool { return a.consistency.own != nil })
}

// hasUnknown reports whether any part is unknown.
func (p *policy) hasUnknown() bool {
	return p.presence == Unknown || (p.presence == Present && p.document == "") ||
		slices.ContainsFunc(p.attachments, func(a attachment) bool { return a.presence == Unknown })
}

// attachedTo lists the principals it is or may be attached to.
func (p *policy) attachedTo() []Principal {
	var out []Principal
	for _, a := range p.attachments {
		if a.presence != Absent {
			out = append(out, a.principal)
		}
	}
	return out
}

// compareVersions orders version ids such as "v2" and "v10" by age.
func compareVersions(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// The methods here note the operator's own writes. Each is called only when AWS
// acknowledged the write or the write may have taken effect.

// wroteExistence notes a creation or deletion.
func (p *policy) wroteExistence(presence Presence, o outcome) {
	p.existence.wrote(presenceValue(presence), o)
	p.presence = presence
	if !o.acked {
		p.presence = Unknown
	}
}

// wroteContent notes a new default version; version is "" when its id is not
// known. With it, what was known of the versions is no longer.
func (p *policy) wroteContent(document, version string, o outcome) {
	p.content.wrote(documentValue(document), o)
	if !o.acked {
		p.document, p.defaultVersion, p.versions, p.old = "", "", nil, nil
		return
	}
	p.retire()
	p.document, p.defaultVersion = document, version
	if version == "" || p.versions == nil {
		p.versions = nil
		return
	}
	// A new slice: views hold the old one.
	p.versions = append(slices.Clip(slices.Clone(p.versions)), version)
}

// droppedVersion notes that a version is no more.
func (p *policy) droppedVersion(version string) {
	p.versions = slices.DeleteFunc(slices.Clone(p.versions), func(v string) bool { return v == version })
	p.old = without(p.old, version)
}

// wroteAttachment notes an attachment (Present) or detachment (Absent).
func (p *policy) wroteAttachment(to Principal, presence Presence, o outcome) {
	a := p.attachmentOf(to)
	if a == nil {
		p.attachments = append(p.attachments, attachment{principal: to, consistency: p.others})
		a = &p.attachments[len(p.attachments)-1]
	}
	a.consistency.wrote(presenceValue(presence), o)
	a.presence = presence
	if !o.acked {
		a.presence = Unknown
	}
}

// created notes that AWS acknowledged the creation of the policy: it has one
// version and no attachments.
func (p *policy) created(document string, o outcome) {
	p.wroteExistence(Present, o)
	p.wroteContent(document, firstVersion, o)
	p.versions, p.old = []string{firstVersion}, nil
	p.wroteNoAttachments(o)
}

// deleted notes that AWS acknowledged that there is no such policy.
func (p *policy) deleted(o outcome) {
	p.wroteExistence(Absent, o)
	p.wroteContent("", "", o)
	p.old = nil
	p.wroteNoAttachments(o)
}

// wroteNoAttachments notes that a policy that was just created or deleted has
// no attachments. What was unknown stays noted: an attachment sent before may
// yet take effect on a new policy of the same name.
func (p *policy) wroteNoAttachments(o outcome) {
	// A deletion that comes late fails on a policy that is attached: whatever
	// is unknown about it does not concern attachments.
	o.unknown = false
	absent := presenceValue(Absent)
	p.others.wrote(absent, o)
	for i := range p.attachments {
		p.attachments[i].consistency.wrote(absent, o)
		p.attachments[i].presence = Absent
	}
}

// firstVersion is the id of the version that CreatePolicy makes.
const firstVersion = "v1"
