package sessiondocument

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/document"
)

// The ownership tags of every document that the operator keeps.
const (
	// uidTag holds the uid of the SessionDocument.
	uidTag = v1alpha1.TagPrefix + "uid"
	// ownerTag holds the id of the installation.
	ownerTag = v1alpha1.TagPrefix + "owner"
)

// desired is what an object asks for, in each of its regions.
type desired struct {
	// name of the document in AWS.
	name string
	// text of the document, and what it means.
	text, meaning string
	// tags, the operator's own included.
	tags map[string]string
	// shares are the accounts that it is shared with, and organizations the organizations
	// and organizational units.
	shares, organizations []string
	regions               []v1alpha1.Region
}

func (d *desired) in(region v1alpha1.Region) bool { return slices.Contains(d.regions, region) }

// declaredKeys are the keys of the tags that people declared, sorted.
func (d *desired) declaredKeys() []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(d.tags)) {
		if key != uidTag && key != ownerTag && key != v1alpha1.TagObject {
			keys = append(keys, key)
		}
	}
	return keys
}

// planFor returns what an object asks for, or why it is not allowed. The first reason wins,
// and none of them hides which shares are allowed.
func planFor(in admission.AccountAccess, doc *v1alpha1.SessionDocument, owner string) (desired, *refusal) {
	want, problem := planWhole(in, doc, owner)
	if problem != nil {
		problem.allowed, problem.withdraws = in.AllowedShares(doc)
	}
	return want, problem
}

func planWhole(in admission.AccountAccess, doc *v1alpha1.SessionDocument, owner string) (desired, *refusal) {
	if denial := in.Check(doc.Spec.Regions); denial != nil {
		return desired{}, denied(denial)
	}
	if in.MadeElsewhere(doc) {
		made := doc.Status.AccountID
		return desired{}, refusef(v1alpha1.ReasonConflict,
			"The document was made in account %s, and AWSAccount %q is account %s now; declare an AWSAccount for account %s under that name, or delete this object.", made, in.Account.Name, in.Account.Spec.AccountID, made)
	}
	if denial := in.CheckSessionDocument(doc); denial != nil {
		return desired{}, denied(denial)
	}
	w := desired{name: doc.DocumentName(), tags: map[string]string{}, regions: doc.Spec.Regions}
	if len(w.regions) == 0 {
		w.regions = in.Account.Spec.Regions
	}
	maps.Copy(w.tags, doc.Spec.Tags)
	w.tags[uidTag], w.tags[ownerTag] = string(doc.UID), owner
	w.tags[v1alpha1.TagObject] = accounts.ObjectTag(owner, doc)
	w.setShares(doc.Spec.SharedWith)
	problem := w.render(&doc.Spec)
	return w, problem
}

// refusal is why an object is not allowed to have what it asks for.
type refusal struct {
	reconcile.Result
	// withdraws reports whether the operator removes shares other than the allowed ones,
	// whatever else the object has to wait for.
	withdraws bool
	// allowed is whom it declares and may share with.
	allowed []v1alpha1.ShareTarget
}

// setShares sets whom the document is shared with.
func (d *desired) setShares(targets []v1alpha1.ShareTarget) {
	d.shares, d.organizations = nil, nil
	for _, target := range targets {
		if target.IsAccount() {
			d.shares = append(d.shares, string(target))
		} else {
			d.organizations = append(d.organizations, string(target))
		}
	}
}

func denied(d *admission.Denial) *refusal { return &refusal{Result: reconcile.Denied(d)} }

func refusef(reason, format string, args ...any) *refusal {
	return &refusal{Result: reconcile.Result{Phase: reconcile.Stalled, Reason: reason, Message: fmt.Sprintf(format, args...)}}
}

// render writes the document.
func (d *desired) render(spec *v1alpha1.SessionDocumentSpec) *refusal {
	var err error
	if d.text, err = document.Render(spec); err == nil {
		d.meaning, err = document.Meaning(d.text)
	}
	if err == nil {
		return nil
	}
	return refusef(v1alpha1.ReasonInvalidSpec, "%s", document.Explain(err))
}
