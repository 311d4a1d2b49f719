package declared

import (
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/manifest"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// Installation is what the policies depend on that manifests do not say.
type Installation struct {
	// OwnerID of the installation: 8 lower-case hex digits.
	OwnerID string
	// Partition of AWS, such as "aws".
	Partition string
	// Quotas are those of every account.
	Quotas policy.Quotas
}

// PrincipalPolicies are the policies of a principal.
type PrincipalPolicies struct {
	AccountID string
	policy.Principal
	// Policies are those that the operator would write, the first shard first.
	Policies []Policy
	// Accesses are the SessionAccesses that grant the principal something, the oldest
	// first.
	Accesses []types.NamespacedName
}

// Policy is a customer managed policy.
type Policy struct {
	Path, Name, Document string
}

// Policies compiles what was granted, for each principal in order of account, kind and
// name. The refusals are grants that stand in the way of older ones, that cannot be
// rendered, or that do not fit into the quotas. Grants over at now are left out.
func (w *World) Policies(granted []Granted, in Installation, now time.Time) ([]PrincipalPolicies, []*manifest.Problem) {
	claims := map[grants.PrincipalKey][]admission.Claim{}
	spelling := map[grants.PrincipalKey]string{}
	for _, g := range granted {
		if grants.Expired(g.Grant, now) {
			continue
		}
		for _, p := range g.Grant.Principals {
			key := grants.PrincipalKeyOf(g.Grant.AccountID, p)
			spelling[key] = p.Name
			claims[key] = append(claims[key], admission.Claim{
				UID: g.Access.UID, Grant: g.Grant, DeclaredAt: g.Access.CreationTimestamp.Time,
				Origin: types.NamespacedName{Namespace: g.Access.Namespace, Name: g.Access.Name},
			})
		}
	}
	var all []PrincipalPolicies
	var refusals []*manifest.Problem
	for _, key := range slices.SortedFunc(maps.Keys(claims), compareKeys) {
		policies, refused := w.compile(key, spelling[key], claims[key], in, now)
		all, refusals = append(all, policies), append(refusals, refused...)
	}
	return all, refusals
}

func compareKeys(a, b grants.PrincipalKey) int {
	return strings.Compare(a.AccountID+"/"+a.String(), b.AccountID+"/"+b.String())
}

// compile makes the policies of one principal.
func (w *World) compile(key grants.PrincipalKey, name string, claims []admission.Claim, in Installation, now time.Time) (PrincipalPolicies, []*manifest.Problem) {
	out := PrincipalPolicies{AccountID: key.AccountID, Principal: policy.Principal{Kind: policy.Kind(key.Kind), Name: name}}
	var refusals []*manifest.Problem
	var whole []policy.Grant
	for _, verdict := range admission.Settle(claims) {
		if verdict.Refusal != "" {
			refusals = append(refusals, w.refused(verdict.UID, v1alpha1.ReasonGuardrailViolated, verdict.Refusal))
			continue
		}
		out.Accesses = append(out.Accesses, verdict.Origin)
		whole = append(whole, grants.Policy(string(verdict.UID), verdict.Grant))
	}
	plan, err := policy.Fit(policy.Account{ID: key.AccountID, Partition: in.Partition}, out.Principal, whole, nil, in.Quotas, now)
	shortfalls := policy.Shortfalls(err, plan.Incomplete)
	for _, id := range slices.Sorted(maps.Keys(shortfalls)) {
		reason := v1alpha1.ReasonInvalidSpec
		if shortfalls[id].TooLarge {
			reason = v1alpha1.ReasonQuotaExceeded
		}
		if w.places[types.UID(id)] == nil {
			refusals = append(refusals, &manifest.Problem{Object: out.Principal.String(), Reason: reason, Message: shortfalls[id].Message})
			continue
		}
		refusals = append(refusals, w.refused(types.UID(id), reason, shortfalls[id].Message))
	}
	for i, text := range plan.Documents {
		if text != "" {
			out.Policies = append(out.Policies, Policy{policy.Path(in.OwnerID), policy.Name(in.OwnerID, out.Principal, i+1), text})
		}
	}
	return out, refusals
}
