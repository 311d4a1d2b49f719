package cloud

import (
	"cmp"
	"slices"
	"strings"
)

// policy is one of the operator's policies as the mirror holds it. Different
// calls write its three parts (that it exists, what its default version says,
// whom it is attached to), so each is proven or in doubt by itself.
type policy struct {
	// name as IAM spells it.
	name string

	presence  Presence
	existence evidence

	// document and id of the default version; "" when not known.
	document       string
	defaultVersion string
	// versions by id, oldest first; nil when not known.
	versions []string
	// old are the documents of versions that are not the default, by id, as far as
	// they are known. Views share the map: it is replaced, never changed.
	old     map[string]string
	content evidence

	// attachments that exist, may exist, or existed recently.
	attachments []attachment
	// others is the evidence that no other principal is attached.
	others evidence
}

type attachment struct {
	principal Principal
	presence  Presence
	evidence  evidence
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
	begun instant
	// point: this entry alone was read, rather than the whole account.
	point bool
}

// settle reports whether a part with that evidence takes over what was read.
// While the part is in doubt, it takes over a point read although that proves
// nothing.
func (r reading) settle(e *evidence) bool {
	return e.admits(r.begun) || (r.point && e.refinable(r.begun))
}

// take merges what a read found, nil when it found no such policy, and returns
// how that differs from the mirror's previous state.
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
		if before := a.presence; r.settle(&a.evidence) {
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
		kept = append(kept, attachment{principal: principal, presence: Present, evidence: evidence{read: r.begun}})
		if !quiet {
			f.attachment(p.name, principal, Absent, Present)
		}
	}
	// What is gone, and seen so by the same read as all others, needs no entry.
	p.attachments = slices.DeleteFunc(kept, func(a attachment) bool {
		return a.presence == Absent && a.evidence.own == nil && p.others.own == nil && p.others.read >= a.evidence.read
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
	return !slices.ContainsFunc(p.attachments, func(a attachment) bool { return a.evidence.own != nil })
}

// inDoubt reports whether any part is in doubt.
func (p *policy) inDoubt() bool {
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
