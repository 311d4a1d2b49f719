package metrics

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
)

var (
	selector   = regexp.MustCompile(`(` + namespace + `_[a-z_]+)(?:\s*\{([^}]*)\})?`)
	matcher    = regexp.MustCompile(`([a-z_]+)\s*(=~|!=|!~|=)\s*"([^"]*)"`)
	grouping   = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	ofVariable = regexp.MustCompile(`label_values\(\s*([a-z_]+)\s*,\s*([a-z_]+)\s*\)`)
)

// values are those of the labels that have few, by metric and label.
func values() map[string][]string {
	return map[string][]string{
		namespace + "_grants/state":             states,
		namespace + "_targets/state":            nodeStates,
		namespace + "_activations/left":         lefts,
		namespace + "_revocation_seconds/until": {string(untilPermission), string(untilSessions)},
		namespace + "_drift_found_total/kind": {
			string(iam.Edited), string(iam.DefaultMoved), string(iam.Detached),
			string(iam.AttachedElsewhere), string(iam.Deleted), string(iam.Appeared),
		},
		namespace + "_writes_rejected_total/kind": kinds(),
	}
}

// kinds are the names of all kinds.
func kinds() []string {
	var names []string
	for _, kind := range v1alpha1.Kinds() {
		names = append(names, v1alpha1.KindOf(kind))
	}
	return names
}

// mistakes are what one of the project's expressions, or a variable's query, gets wrong.
func mistakes(expr string) []string {
	exist := told()
	var found, labels []string
	for _, used := range selector.FindAllStringSubmatch(expr, -1) {
		name := ofHistogram.ReplaceAllString(used[1], "")
		its, ok := exist[name]
		if !ok {
			found = append(found, "there is no metric "+name)
		}
		if labels = append(labels, its...); strings.HasSuffix(used[1], "_bucket") {
			labels = append(labels, "le")
		}
		for _, m := range matcher.FindAllStringSubmatch(used[2], -1) {
			found = append(found, mismatched(name, its, m[1], m[2], m[3])...)
		}
	}
	groups := grouping.FindAllStringSubmatch(expr, -1)
	for _, of := range ofVariable.FindAllStringSubmatch(expr, -1) {
		groups = append(groups, []string{"", of[2]})
	}
	for _, group := range groups {
		for _, label := range word.FindAllString(group[1], -1) {
			if !slices.Contains(labels, label) {
				found = append(found, "there is no label "+label)
			}
		}
	}
	return found
}

// mismatched are what a matcher asks for that its metric never has.
func mismatched(metric string, labels []string, label, operator, value string) []string {
	if !slices.Contains(labels, label) {
		return []string{fmt.Sprintf("%s has no label %s", metric, label)}
	}
	known := values()[metric+"/"+label]
	switch label {
	case "operation":
		known = operations()
	case "service":
		known = services()
	}
	if known == nil || strings.HasPrefix(value, "$") {
		return nil // Of accounts and of AWS's error codes there may be any.
	}
	var found []string
	alternatives := []string{regexp.QuoteMeta(value)}
	if strings.HasSuffix(operator, "~") {
		alternatives = strings.Split(value, "|")
	}
	for _, one := range alternatives {
		like := regexp.MustCompile("^(?:" + one + ")$")
		if !slices.ContainsFunc(known, like.MatchString) {
			found = append(found, fmt.Sprintf("%s never has %s %q", metric, label, one))
		}
	}
	return found
}

// allowed are the actions of a policy document of config/iam.
func allowed(name string) []string {
	text, err := os.ReadFile(filepath.Join(configDir, "iam", name))
	if err != nil {
		panic(err)
	}
	var document struct {
		Statement []struct{ Action any }
	}
	if err := yaml.Unmarshal(text, &document); err != nil {
		panic(fmt.Errorf("%s: %w", name, err))
	}
	var actions []string
	for _, s := range document.Statement {
		switch action := s.Action.(type) {
		case string:
			actions = append(actions, action)
		case []any:
			for _, a := range action {
				actions = append(actions, a.(string))
			}
		}
	}
	return actions
}

// documents of config/iam that say which calls the operator makes.
var documents = []string{
	"operator-policy.json", "sessions-policy.json", "documents-policy.json", "activations-policy.json",
	"tier-policy.json", "reachability-policy.json", "caller-policy.json",
}

// otherwiseNamed are the operations whose action has another name.
var otherwiseNamed = map[string]string{"GetEncryptionConfiguration": "GetBucketEncryption"}

func operationOf(action string) string {
	_, operation, _ := strings.Cut(action, ":")
	if other, ok := otherwiseNamed[operation]; ok {
		return other
	}
	return operation
}

// operations are those that the operator calls, with the one that needs no leave.
func operations() []string {
	all := []string{"GetCallerIdentity"}
	for _, name := range documents {
		for _, action := range allowed(name) {
			all = append(all, operationOf(action))
		}
	}
	return all
}

func services() []string {
	var all []string
	for _, name := range documents {
		for _, action := range allowed(name) {
			service, _, _ := strings.Cut(action, ":")
			all = append(all, service)
		}
	}
	return all
}

func TestMistakesInExpressionsAreFound(t *testing.T) {
	for expr, want := range map[string]string{
		`sum(ssm_access_grant)`:                                                                   "there is no metric ssm_access_grant",
		`ssm_access_grants{states="revoking"}`:                                                    "ssm_access_grants has no label states",
		`ssm_access_grants{left="none"} + ssm_access_activations`:                                 "ssm_access_grants has no label left",
		`ssm_access_grants{account="1", state="revokng"}`:                                         `ssm_access_grants never has state "revokng"`,
		`ssm_access_grants{state!="revokng"}`:                                                     `ssm_access_grants never has state "revokng"`,
		`ssm_access_grants{state=~"granted|scheduld"}`:                                            `ssm_access_grants never has state "scheduld"`,
		`ssm_access_targets{state="granted"}`:                                                     `ssm_access_targets never has state "granted"`,
		`rate(ssm_access_revocation_seconds_bucket{until="session"}[1m])`:                         `ssm_access_revocation_seconds never has until "session"`,
		`ssm_access_drift_found_total{kind="detached"}`:                                           `ssm_access_drift_found_total never has kind "detached"`,
		`ssm_access_aws_requests_total{operation!~"GetUser|GetUsr"}`:                              `ssm_access_aws_requests_total never has operation "GetUsr"`,
		`ssm_access_aws_limiter_requests_per_second{service="IAM"}`:                               `ssm_access_aws_limiter_requests_per_second never has service "IAM"`,
		`sum by (acount) (ssm_access_grants)`:                                                     "there is no label acount",
		`sum by (le) (ssm_access_grants)`:                                                         "there is no label le",
		`label_values(ssm_access_grants, left)`:                                                   "there is no label left",
		`sum by (account, le) (rate(ssm_access_revocation_seconds_bucket{until="sessions"}[1m]))`: "",
		`ssm_access_grants{account=~"$account",state=~"revok.*|stalled"} > 0`:                     "",
	} {
		if got := strings.Join(mistakes(expr), ", "); got != want {
			t.Errorf("%s: found %q, want %q", expr, got, want)
		}
	}
}

// What reachability-policy.json allows may be left out, and is asked for
// nonetheless. An alert on it would never end.
func TestWhatMayBeLeftOutOfTheRoleRaisesNoAlert(t *testing.T) {
	always := slices.Concat(allowed("operator-policy.json"), allowed("sessions-policy.json"))
	var want []string
	for _, action := range allowed("reachability-policy.json") {
		if !slices.Contains(always, action) {
			want = append(want, operationOf(action))
		}
	}
	excluded := regexp.MustCompile(`operation!~"([^"]*)"`)
	for _, expr := range read(t, "prometheus/rules.yaml") {
		if !strings.Contains(expr, "AccessDenied") {
			continue
		}
		got := strings.Split(excluded.FindStringSubmatch(expr)[1], "|")
		slices.Sort(got)
		slices.Sort(want)
		want = slices.Compact(want) // Several statements may allow an action.
		if !slices.Equal(got, want) {
			t.Errorf("the alert leaves out\n%v, and of reachability-policy.json may be left out\n%v", got, want)
		}
		return
	}
	t.Error("no alert reports what AWS refuses")
}
