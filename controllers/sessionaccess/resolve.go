package sessionaccess

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// inputs are everything that decides what a SessionAccess grants.
type inputs struct {
	accounts.Inputs
	access *v1alpha1.SessionAccess
	references
}

// judgement is what a SessionAccess grants, or why nothing new.
type judgement struct {
	// grant is the resolved spec. Nil when refused.
	grant *v1alpha1.ResolvedGrant
	// waiting: the spec cannot be resolved in full yet. What was granted and is
	// still asked for stays; nothing is added.
	waiting bool
	// problem is why; nil when everything is resolved.
	problem *reconcile.Verdict
}

func waiting(reason, format string, args ...any) judgement {
	return judgement{waiting: true, problem: &reconcile.Verdict{Progress: reconcile.Working, Reason: reason, Message: fmt.Sprintf(format, args...)}}
}

// judge decides what a SessionAccess grants. Whether the namespace may use the
// account comes before anything the spec says.
func judge(in inputs) judgement {
	if closed := in.Check(in.access.Spec.Regions); closed != nil {
		j := judgement{waiting: closed.Waiting, problem: new(reconcile.VerdictOf(closed))}
		if closed.Waiting {
			j.grant = stillAsked(in)
		}
		return j
	}
	j := resolveReferences(in)
	if suspended := reconcile.Suspended(in.access, in.Account); suspended != nil && (j.problem == nil || j.waiting) {
		j.waiting = true
		j.problem = &reconcile.Verdict{Progress: suspended.Phase, Reason: suspended.Reason, Message: suspended.Message}
	}
	return j
}

// resolveReferences turns the spec into a grant. With a reference that cannot be
// resolved the rest is returned with waiting set, so that a narrowing made in
// the same edit still takes effect.
func resolveReferences(in inputs) judgement {
	spec := in.access.Spec.DeepCopy()
	grant := grantOf(spec, &in.Account.Spec)
	unresolved := append(in.resolveTargets(spec, grant), in.resolveDocuments(spec, grant)...)
	if verdict := guard(in, grant); verdict != nil {
		return judgement{problem: verdict}
	}
	if len(unresolved) > 0 {
		j := waiting(v1alpha1.ReasonReferenceNotResolved,
			"%s. Until then nothing new is granted. What was granted before stays, save what is no longer declared or was granted on an object that is gone.", strings.Join(unresolved, ", and "))
		j.grant = grant
		return j
	}
	return judgement{grant: grant}
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
