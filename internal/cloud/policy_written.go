package cloud

import "slices"

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
		p.attachments = append(p.attachments, attachment{principal: to, evidence: p.others})
		a = &p.attachments[len(p.attachments)-1]
	}
	a.evidence.wrote(presenceValue(presence), o)
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
// no attachments. What was in doubt stays noted: an attachment sent before may
// yet take effect on a new policy of the same name.
func (p *policy) wroteNoAttachments(o outcome) {
	// A deletion that comes late fails on a policy that is attached: whatever
	// is in doubt about it is none about attachments.
	o.doubtful = false
	absent := presenceValue(Absent)
	p.others.wrote(absent, o)
	for i := range p.attachments {
		p.attachments[i].evidence.wrote(absent, o)
		p.attachments[i].presence = Absent
	}
}

// firstVersion is the id of the version that CreatePolicy makes.
const firstVersion = "v1"
