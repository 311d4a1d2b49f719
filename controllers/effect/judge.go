package effect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// effectOf judges the decisions on the node and the document of a sample. who is how a
// message names the principal.
func effectOf(sample *policy.Sample, decisions []iam.Decision, who string) grants.Effect {
	for i := range decisions {
		d := &decisions[i]
		if d.Resource != sample.Node && d.Resource != sample.Document {
			continue
		}
		if effect := judge(d, sample.Region, who); effect != (grants.Effect{}) {
			return effect
		}
	}
	return grants.Effect{}
}

// judge names the cause of a denial, where it is certain. A denial without a cause may
// just be one that IAM has not caught up with, and one that hangs on a key that the
// simulation was not given may not hold for a real call.
func judge(d *iam.Decision, region, who string) grants.Effect {
	call := fmt.Sprintf("%s %s on %s", who, d.Action, resourceOf(d.Resource))
	switch {
	case d.Allowed:
		return grants.Effect{}
	case d.Organization:
		return grants.Effect{Reason: v1alpha1.ReasonDeniedByOrganization, Message: fmt.Sprintf(
			"A service control policy of the organisation does not allow %s in %s, so the access has no effect there. Have the administrators of the organisation allow it, or take the access away.", call, region)}
	case hangs(d):
		return grants.Effect{}
	case d.Boundary:
		return grants.Effect{Reason: v1alpha1.ReasonDeniedByBoundary, Message: fmt.Sprintf(
			"The permissions boundary does not allow %s in %s, so the access has no effect there. Widen the boundary, or take the access away.", call, region)}
	case d.Explicit && len(d.Policies) > 0:
		return grants.Effect{Reason: v1alpha1.ReasonDeniedByPolicy, Message: fmt.Sprintf(
			"Policy %s denies %s in %s, so the access has no effect there. Change that policy, or take the access away.", d.Policies[0], call, region)}
	default:
		return grants.Effect{}
	}
}

// hangs reports whether a decision may depend on a key that the simulation was not given.
// IAM lists the keys of all policies, the operator's own on the tags of other grants among
// them.
func hangs(d *iam.Decision) bool {
	return slices.ContainsFunc(d.Missing, func(key string) bool { return !policy.IsTagKey(key) && !policy.IsAbsentKey(key) })
}

// resourceOf shortens an ARN to what it names.
func resourceOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	return parts[len(parts)-1]
}
