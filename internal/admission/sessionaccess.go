package admission

import (
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// SessionAccess is a SessionAccess with everything that decides what it grants.
type SessionAccess struct {
	AccountAccess
	References
	Object *v1alpha1.SessionAccess
}

// References are the objects that a SessionAccess names, by name, all of its namespace:
// those of another cannot be meant. One that does not exist is left out.
type References struct {
	Documents   map[string]*v1alpha1.SessionDocument
	Activations map[string]*v1alpha1.HybridActivation
	// Restoring: a restore of the cluster may still bring back objects that do not exist.
	Restoring bool
	// Keys are those of the documents that the spec gives by name.
	Keys DocumentKeys
}

// Decision is what a SessionAccess grants, or why nothing new.
type Decision struct {
	// Grant is the resolved spec. Nil when refused.
	Grant *v1alpha1.ResolvedGrant
	// Waiting: the spec cannot be resolved in full yet. What was granted and is
	// still asked for stays; nothing is added.
	Waiting bool
	// Problem is why; nil when everything is resolved.
	Problem *Denial
	// UngrantedKey says which key the sessions need that is not granted; "" for none.
	UngrantedKey string
}

// Decide decides what a SessionAccess grants. Whether the namespace may use the account
// comes before anything the spec says. A suspended object adds nothing.
func (in SessionAccess) Decide() Decision {
	if denial := in.Check(in.Object.Spec.Regions); denial != nil {
		d := Decision{Waiting: denial.Waiting, Problem: denial}
		if denial.Waiting {
			d.Grant = in.stillAsked()
		}
		return d
	}
	d := in.resolve()
	if suspended := Suspended(in.Object, in.Account); suspended != nil && (d.Problem == nil || d.Waiting) {
		d.Waiting, d.Problem = true, suspended
	}
	return d
}

// resolve turns the spec into a grant. With a reference that cannot be
// resolved the rest is returned with waiting set, so that a narrowing made in
// the same edit still takes effect.
func (in SessionAccess) resolve() Decision {
	spec := in.Object.Spec.DeepCopy()
	grant := grantOf(spec, &in.Account.Spec)
	unresolved := append(in.resolveTargets(spec, grant), in.resolveDocuments(spec, grant)...)
	if denial := in.guard(grant); denial != nil {
		return Decision{Problem: denial}
	}
	if len(unresolved) > 0 {
		problem := wait(v1alpha1.ReasonReferenceNotResolved,
			"%s. Until then nothing new is granted. What was granted before stays, save what is no longer declared or was granted on an object that is gone.", strings.Join(unresolved, ", and "))
		if in.namesOwnARN() {
			problem.Reason, problem.Waiting = v1alpha1.ReasonInvalidSpec, false
		}
		return Decision{Grant: grant, Waiting: true, Problem: problem}
	}
	return Decision{Grant: grant, UngrantedKey: in.ungrantedKey(grant.Regions)}
}

// grantOf is what a spec says by itself: all but targets and documents, which may be
// references.
func grantOf(spec *v1alpha1.SessionAccessSpec, account *v1alpha1.AWSAccountSpec) *v1alpha1.ResolvedGrant {
	grant := &v1alpha1.ResolvedGrant{
		AccountID:        account.AccountID,
		Principals:       spec.Principals,
		Regions:          spec.Regions,
		Clients:          spec.Clients,
		SessionScope:     spec.SessionScope,
		DataChannelScope: account.DataChannelScope,
		NotBefore:        spec.NotBefore,
		NotAfter:         spec.NotAfter,
		RequireMFA:       spec.RequireMFA,
		SourceCIDRs:      spec.SourceCIDRs,
		OnRevoke:         spec.OnRevoke,
	}
	if len(grant.Regions) == 0 {
		grant.Regions = slices.Clone(account.Regions)
	}
	return grant
}
