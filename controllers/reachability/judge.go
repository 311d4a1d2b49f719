package reachability

import (
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/collect"
)

// finding is what is kept of the checks on one node.
type finding struct {
	check.Verdict
	region string
	// kind is what a node of another cloud is.
	kind string
	// missing are the permissions that the operator lacked for some checks.
	missing []string
}

// judging judges the nodes of one survey. Each is judged once by the same
// documents, however many accesses name it.
type judging struct {
	taken *collect.Survey
	// documents by region and names, findings by node and names.
	documents map[[2]string][]check.Document
	findings  map[[2]string]finding
}

func judgingOf(taken *collect.Survey) *judging {
	return &judging{taken: taken, documents: map[[2]string][]check.Document{}, findings: map[[2]string]finding{}}
}

// access judges the nodes of one access by its own documents.
func (j *judging) access(access *v1alpha1.SessionAccess) grants.Reachability {
	granted := grantOf(access)
	m := meantBy(granted, j.taken)
	names := documentsOf(granted)
	joined := strings.Join(names, "\n") // No name has a line break.
	findings := make([]finding, len(m.nodes))
	for i, id := range m.nodes {
		key := [2]string{id, joined}
		found, ok := j.findings[key]
		if !ok {
			found = j.node(id, names, joined)
			j.findings[key] = found
		}
		findings[i] = found
	}
	result := report(access.Status.Applied.Serial, findings, m)
	result.Keys = j.keys(granted)
	return result
}

// keys are those that the documents of a grant name, where these were read.
func (j *judging) keys(granted *v1alpha1.ResolvedGrant) admission.DocumentKeys {
	names := documentsOf(granted)
	slices.Sort(names)
	var keys admission.DocumentKeys
	for _, region := range granted.Regions {
		for _, name := range slices.Compact(names) {
			if key, read := j.taken.SessionKey(string(region), name); read {
				keys.Read = append(keys.Read, admission.DocumentKey{Document: name, Region: region, ID: key.ID, ARN: key.ARN})
			}
		}
	}
	return keys
}

func (j *judging) node(id string, names []string, joined string) finding {
	region := j.taken.Region(id)
	key := [2]string{region, joined}
	documents, ok := j.documents[key]
	if !ok {
		documents = j.taken.Documents(region, names)
		j.documents[key] = documents
	}
	facts := j.taken.Facts(id, documents)
	v := check.Verdict{Node: id, Checks: check.Judge(facts)}
	actions := missing(v.Checks)
	v.Checks = v.Telling() // All checks of many nodes would take some megabytes.
	return finding{Verdict: v, region: region, kind: facts.Node.Kind(), missing: actions}
}

// meant are the nodes of a grant by id, each once.
type meant struct {
	nodes []string
	// more: there are others that carry the tags.
	more bool
	// denied are the permissions that the operator lacked to find all the others.
	denied []string
	// literal are the tags, as in Name=web-*, whose values look like patterns.
	literal []string
}

func meantBy(granted *v1alpha1.ResolvedGrant, taken *collect.Survey) meant {
	m := meant{nodes: idsOf(granted)}
	for _, s := range selectionsOf(granted) {
		found, others, denied := taken.Selected(s)
		m.nodes, m.more, m.denied = append(m.nodes, found...), m.more || others, append(m.denied, denied...)
		m.literal = append(m.literal, patternLike(s.Tags)...)
	}
	slices.Sort(m.literal)
	m.literal = slices.Compact(m.literal)
	slices.Sort(m.nodes)
	slices.Sort(m.denied)
	m.nodes, m.denied = slices.Compact(m.nodes), slices.Compact(m.denied)
	return m
}

// patternLike are the tags that a reader may take for a pattern or a variable.
func patternLike(tags map[string]string) []string {
	var list []string
	for key, value := range tags {
		if strings.ContainsAny(value, "*?$") {
			list = append(list, key+"="+value)
		}
	}
	return list
}

// missing are the permissions that the operator lacked for some checks.
func missing(checks []check.Check) []string {
	var actions []string
	for i := range checks {
		actions = append(actions, checks[i].Missing...)
	}
	return actions
}
