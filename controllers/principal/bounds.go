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

// bounded is a grant with what decides whether it conflicts with others.
type bounded struct {
	policy.Grant
	bounds []v1alpha1.DocumentBound
	// record is the one that has it, for its age and its name.
	record *grants.Record
}

// standTogether leaves out grants that would let a node be used with a document
// that the guardrails of the node's namespace forbid: of each such pair the newer one.
// It compares what the objects say and not every node. So it may refuse a pair that
// another grant would make harmless, and its time is bounded.
//
// A grant that is HeldOnly displaces no other: whether it is allowed is not decided
// yet. A newer grant that conflicts with it waits for that: it is HeldOnly, too.
func standTogether(all []bounded) (kept []policy.Grant, refused map[types.UID]problem) {
	refused = map[types.UID]problem{}
	slices.SortFunc(all, func(a, b bounded) int { return older(a.record, b.record) })
	var standing []bounded
	for _, candidate := range all {
		if message := clash(standing, candidate, false); message != "" {
			refused[candidate.record.UID] = problem{v1alpha1.PrincipalRefused, v1alpha1.ReasonGuardrailViolated, message}
			continue
		}
		candidate.HeldOnly = candidate.HeldOnly || clash(standing, candidate, true) != ""
		standing = append(standing, candidate)
		kept = append(kept, candidate.Grant)
	}
	return kept, refused
}

// clash returns the message for the first grant that conflicts with a newer one, among
// those that are HeldOnly or among the others.
func clash(standing []bounded, candidate bounded, heldOnly bool) string {
	for _, other := range standing {
		if other.HeldOnly != heldOnly {
			continue
		}
		if message := breaks(other, candidate); message != "" {
			return message
		}
		if message := breaks(candidate, other); message != "" {
			return message
		}
	}
	return ""
}

// older orders by age, and by name among those of one second.
func older(a, b *grants.Record) int {
	return cmp.Or(
		a.DeclaredAt.Compare(b.DeclaredAt),
		strings.Compare(a.Origin.Namespace, b.Origin.Namespace),
		strings.Compare(a.Origin.Name, b.Origin.Name),
	)
}

// breaks returns the message for two grants where the nodes of one must not be used
// with a document of the other.
func breaks(nodes, documents bounded) string {
	if len(nodes.bounds) == 0 || !share(nodes.Regions, documents.Regions) {
		return ""
	}
	for _, bound := range nodes.bounds {
		for _, d := range documents.Documents {
			if !grants.MatchesAny(bound.Documents, d.Name) {
				return fmt.Sprintf("Together, SessionAccess %s and %s would let the nodes of the former be used with document %s, which guardrail %q forbids there; IAM cannot tie the two. Of the two the newer is refused: give it other principals, or documents that the guardrail allows.",
					nodes.record.Origin, documents.record.Origin, d.Name, bound.Guardrail)
			}
		}
	}
	return ""
}

func share(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}
