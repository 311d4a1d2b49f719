package principal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// bounded is a grant with what decides whether it may stand beside others.
type bounded struct {
	policy.Grant
	bounds []v1alpha1.DocumentBound
	// access is its object, for its age and its name.
	access *v1alpha1.SessionAccess
}

// standTogether leaves out grants that would let a node be used with a document
// that the guardrails of the node's namespace forbid: of each such two the newer.
func standTogether(all []bounded) (kept []policy.Grant, refused map[types.UID]problem) {
	refused = map[types.UID]problem{}
	slices.SortFunc(all, func(a, b bounded) int { return older(a.access, b.access) })
	if !slices.ContainsFunc(all, func(b bounded) bool { return len(b.bounds) > 0 }) {
		for _, b := range all {
			kept = append(kept, b.Grant)
		}
		return kept, refused
	}
	for _, candidate := range all {
		with := append(slices.Clone(kept), candidate.Grant)
		if message := breaks(policy.Widening(with), all); message != "" {
			refused[candidate.access.UID] = problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonGuardrailViolated, message}
			continue
		}
		kept = with
	}
	return kept, refused
}

// older orders by age, and by name among those of one second.
func older(a, b *v1alpha1.SessionAccess) int {
	return cmp.Or(
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		strings.Compare(a.Namespace, b.Namespace),
		strings.Compare(a.Name, b.Name),
	)
}

// breaks is the sentence for the first pair that breaks a guardrail.
func breaks(pairs []policy.Pair, all []bounded) string {
	for _, pair := range pairs {
		i := slices.IndexFunc(all, func(b bounded) bool { return b.ID == pair.Nodes })
		j := slices.IndexFunc(all, func(b bounded) bool { return b.ID == pair.Documents })
		for _, bound := range all[i].bounds {
			for _, name := range pair.Names {
				if !grants.MatchesAny(bound.Documents, name) {
					return fmt.Sprintf("Together, SessionAccess %s/%s and %s/%s would let the nodes of the former be used with document %s, which guardrail %q forbids there; IAM cannot tie the two. Of the two the newer is refused: give it other principals, or documents that the guardrail allows.",
						all[i].access.Namespace, all[i].access.Name, all[j].access.Namespace, all[j].access.Name, name, bound.Guardrail)
				}
			}
		}
	}
	return ""
}
