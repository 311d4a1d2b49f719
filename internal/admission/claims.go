package admission

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Claim is a grant of one principal, with what decides whether it may stand beside the
// other grants of that principal.
type Claim struct {
	// UID of the SessionAccess.
	UID   types.UID
	Grant *v1alpha1.ResolvedGrant
	// DeclaredAt is when the access was declared.
	DeclaredAt time.Time
	// Origin names the SessionAccess.
	Origin types.NamespacedName
	// Undecided: whether the grant is allowed is not decided yet.
	Undecided bool
}

// Verdict is what comes of a claim.
type Verdict struct {
	Claim
	// Refusal is why the grant must not stand beside an older one; "" where it may.
	Refusal string
}

// Settle refuses claims that would let a node be used with a document that the guardrails
// of the node's namespace forbid: of each such pair the newer one. It compares what the
// objects say and not every node. So it may refuse a pair that another grant would make
// harmless, and its time is bounded. The verdicts are in the order of age.
//
// An undecided claim refuses no other. A newer claim that conflicts with it waits for that
// decision: it is undecided, too.
func Settle(claims []Claim) []Verdict {
	claims = slices.Clone(claims)
	slices.SortFunc(claims, older)
	verdicts := make([]Verdict, 0, len(claims))
	var standing []Claim
	for _, candidate := range claims {
		if message := clash(standing, candidate, false); message != "" {
			verdicts = append(verdicts, Verdict{candidate, message})
			continue
		}
		candidate.Undecided = candidate.Undecided || clash(standing, candidate, true) != ""
		standing = append(standing, candidate)
		verdicts = append(verdicts, Verdict{Claim: candidate})
	}
	return verdicts
}

// clash returns the message for the first claim that conflicts with a newer one, among
// those that are undecided or among the others.
func clash(standing []Claim, candidate Claim, undecided bool) string {
	for _, other := range standing {
		if other.Undecided != undecided {
			continue
		}
		if message := cmp.Or(breaks(other, candidate), breaks(candidate, other)); message != "" {
			return message
		}
	}
	return ""
}

// older orders by age, and by name among those of one second.
func older(a, b Claim) int {
	return cmp.Or(
		a.DeclaredAt.Compare(b.DeclaredAt),
		strings.Compare(a.Origin.Namespace, b.Origin.Namespace),
		strings.Compare(a.Origin.Name, b.Origin.Name),
	)
}

// breaks returns the message for two claims where the nodes of one must not be used
// with a document of the other.
func breaks(nodes, documents Claim) string {
	if len(nodes.Grant.DocumentBounds) == 0 || !slices.ContainsFunc(nodes.Grant.Regions, func(r v1alpha1.Region) bool {
		return slices.Contains(documents.Grant.Regions, r)
	}) {
		return ""
	}
	for _, bound := range nodes.Grant.DocumentBounds {
		for _, d := range documents.Grant.Documents {
			if !MatchesDocument(bound.Documents, d.Name) {
				return fmt.Sprintf("Together, SessionAccess %s and %s would let the nodes of the former be used with document %s, which guardrail %q forbids there; IAM cannot tie the two. Of the two the newer is refused: give it other principals, or documents that the guardrail allows.",
					nodes.Origin, documents.Origin, d.Name, bound.Guardrail)
			}
		}
	}
	return ""
}
