package reachability

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/targets"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
	"github.com/ssm-access-operator/ssm-access-operator/internal/survey"
)

// finding is what is kept of the checks on one node.
type finding struct {
	reach.Verdict
	region string
	// missing are the actions for want of which checks were not made.
	missing []string
}

// judge judges the nodes of one access by its own documents.
func judge(access *v1alpha1.SessionAccess, taken *survey.Survey) targets.Report {
	granted := grantOf(access)
	nodes, more := nodesOf(granted, taken)
	names := documentsOf(granted)
	documents := map[string][]reach.Document{} // by region
	findings := make([]finding, len(nodes))
	for i, id := range nodes {
		region := taken.Region(id)
		if documents[region] == nil {
			documents[region] = taken.Documents(region, names)
		}
		checks := reach.Judge(taken.Facts(id, documents[region]))
		findings[i] = finding{Verdict: reach.Verdict{Node: id, Checks: telling(checks)}, region: region, missing: missing(checks)}
	}
	return report(access.Status.Applied.Serial, findings, more)
}

// nodesOf lists the nodes of a grant by id, each once. more says that there are
// others that carry the tags.
func nodesOf(granted *v1alpha1.ResolvedGrant, taken *survey.Survey) (nodes []string, more bool) {
	nodes = idsOf(granted)
	for _, s := range selectionsOf(granted) {
		found, others := taken.Selected(s)
		nodes, more = append(nodes, found...), more || others
	}
	slices.Sort(nodes)
	return slices.Compact(nodes), more
}

// telling are the two checks that tell all that is told of a node, in their
// order: the first that fails, and whether it is connected. All checks of many
// nodes would take some megabytes.
func telling(checks []reach.Check) []reach.Check {
	var kept []reach.Check
	failed := false
	for i := range checks {
		c := &checks[i]
		first := c.Result == reach.Fail && !failed
		if first || c.Name == reach.CheckConnected {
			kept = append(kept, *c)
		}
		failed = failed || first
	}
	return kept
}

// missing are the actions for want of which checks were not made.
func missing(checks []reach.Check) []string {
	var actions []string
	for i := range checks {
		actions = append(actions, checks[i].Missing...)
	}
	return actions
}
