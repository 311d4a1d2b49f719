package invariants

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// document is what a SessionDocument declares: the shell profile for Linux.
type document struct {
	profile string
	// since are all profiles declared since the last rest.
	since []string
	// declared is false once the object was deleted.
	declared bool
	// maybe: it may have been refused.
	maybe bool
	// left: the object was deleted before the operator saw it.
	left bool
}

// DeclareDocument must be called before a SessionDocument is written.
func (o *Observer) DeclareDocument(name, profile string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.documents[name]
	if d == nil {
		d = &document{}
		o.documents[name] = d
	}
	d.profile, d.declared, d.maybe, d.left, d.since = profile, true, false, false, append(d.since, profile)
}

// MayDeclareDocument is DeclareDocument for one that the operator may refuse.
func (o *Observer) MayDeclareDocument(name, profile string) {
	o.DeclareDocument(name, profile)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.documents[name].maybe = true
}

// WithdrawDocument must be called when a SessionDocument was deleted.
func (o *Observer) WithdrawDocument(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d := o.documents[name]; d != nil {
		d.declared = false
	}
}

// DeclareTier must be called before an AccountTier is written. The function that it
// returns takes it back when the API server did not accept it.
func (o *Observer) DeclareTier(t *v1alpha1.AccountTier) (rejected func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	tier, before := o.tier, o.tierBefore
	if o.tierBefore == "" {
		o.tierBefore = o.tier
	}
	o.tier = strings.ToLower(string(t.Spec.Tier))
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.tier, o.tierBefore = tier, before
	}
}

// WithdrawTier must be called when an AccountTier was deleted.
func (o *Observer) WithdrawTier(t v1alpha1.DeletionPolicy) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tierBefore != "" && t != v1alpha1.DeletionKeep {
		o.tier = o.tierBefore
	}
	o.tierBefore = ""
}

// advanced is the tier of AWS that opens sessions on hybrid nodes.
const advanced = "advanced"

// TierHeld reports whether access to hybrid nodes may keep a tier from being lowered.
func (o *Observer) TierHeld() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.tierHeld()
}

// tierHeld is TierHeld with the lock held.
func (o *Observer) tierHeld() bool {
	return slices.ContainsFunc(o.present(), func(g Grant) bool {
		return slices.ContainsFunc(g.Specs, func(s v1alpha1.SessionAccessSpec) bool { return slices.ContainsFunc(s.Targets, ofHybrids) })
	})
}

func ofHybrids(t v1alpha1.Target) bool {
	return t.ActivationRef != nil || slices.ContainsFunc(t.InstanceIDs, func(id v1alpha1.InstanceID) bool { return strings.HasPrefix(string(id), "mi-") })
}

func (o *Observer) ssm() *ssm.Region {
	return o.server.Account(o.domain.AccountID).Region(o.domain.Region).SSM
}

// changedDocuments judges the documents at any moment. The lock is held.
func (o *Observer) changedDocuments() {
	for d := range o.ssm().Documents() {
		declared := o.documents[d.Name]
		if declared == nil {
			continue
		}
		if profile := profileOf(d); !slices.Contains(declared.since, profile) {
			o.violated("document %s runs %q, which nobody has declared since the last rest", d.Name, profile)
		}
	}
	if foreign := o.foreignDocuments(); foreign != o.foreignDocs {
		o.violated("a document of others was changed: they were %s and are %s", o.foreignDocs, foreign)
	}
}

// judgeDocuments judges documents and tier at rest. The lock is held.
func (o *Observer) judgeDocuments() {
	for name, declared := range o.documents {
		d, ok := o.ssm().Document(name)
		switch {
		case declared.maybe && declared.declared, declared.left:
		case ok != declared.declared:
			o.violated("at rest document %s exists: %t; declared: %t", name, ok, declared.declared)
		case ok && profileOf(d) != declared.profile:
			o.violated("at rest document %s runs %q and not %q", name, profileOf(d), declared.profile)
		}
		if declared.since = []string{declared.profile}; ok && declared.maybe {
			declared.since = append(declared.since, profileOf(d))
		}
	}
	if tier := o.ssm().Tier(); tier != o.tier && (tier != advanced || !o.tierHeld()) {
		o.violated("at rest the tier is %s and not %s", tier, o.tier)
	}
}

// profileOf is the shell profile for Linux in a document's default version.
func profileOf(d *ssm.Document) string {
	v, _ := d.Version(d.Default)
	var content struct {
		Inputs struct {
			ShellProfile struct {
				Linux string `json:"linux"`
			} `json:"shellProfile"`
		} `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(v.Content), &content); err != nil {
		return err.Error()
	}
	return content.Inputs.ShellProfile.Linux
}

// foreignDocuments is everything about documents that no object declares.
func (o *Observer) foreignDocuments() string {
	var text strings.Builder
	for d := range o.ssm().Documents() {
		if o.documents[d.Name] == nil {
			fmt.Fprintf(&text, "%s %d %v %v %v; ", d.Name, d.Default, d.Versions, d.Tags, d.Shares)
		}
	}
	return text.String()
}
