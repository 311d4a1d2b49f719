package metrics

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"
)

const configDir = "../../config"

var (
	describedName = regexp.MustCompile(`fqName: "([^"]+)"`)
	describedTags = regexp.MustCompile(`variableLabels: \{([^}]*)\}`)
	usedName      = regexp.MustCompile(namespace + `_[a-z_]+`)
	word          = regexp.MustCompile(`[a-z_]+`)
	ofHistogram   = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// told are the labels of each metric that there is.
func told() map[string][]string {
	descs := make(chan *prometheus.Desc, 100)
	New().Describe(descs)
	close(descs)
	names := map[string][]string{}
	for desc := range descs {
		text := desc.String()
		tags := describedTags.FindStringSubmatch(text)
		names[describedName.FindStringSubmatch(text)[1]] = word.FindAllString(tags[1], -1)
	}
	return names
}

// exprs finds the expressions in what was read from YAML or JSON.
func exprs(value any) []string {
	var found []string
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if text, ok := inner.(string); ok && (key == "expr" || key == "query") {
				found = append(found, text)
			}
			found = append(found, exprs(inner)...)
		}
	case []any:
		for _, inner := range v {
			found = append(found, exprs(inner)...)
		}
	}
	return found
}

func read(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(configDir, name))
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if filepath.Ext(name) == ".json" {
		err = json.Unmarshal(text, &value)
	} else {
		err = yaml.Unmarshal(text, &value)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	found := exprs(value)
	if len(found) < 5 {
		t.Fatalf("%s has %d expressions: the test does not find them", name, len(found))
	}
	return found
}

func TestRulesAndDashboardUseMetricsLabelsAndValuesThatExist(t *testing.T) {
	for _, file := range []string{"prometheus/rules.yaml", "grafana/dashboard.json"} {
		for _, expr := range read(t, file) {
			for _, mistake := range mistakes(expr) {
				t.Errorf("%s: %s in %q", file, mistake, expr)
			}
		}
	}
}

func TestTheDashboardShowsEveryMetric(t *testing.T) {
	var shown []string
	for _, expr := range read(t, "grafana/dashboard.json") {
		for _, name := range usedName.FindAllString(expr, -1) {
			shown = append(shown, ofHistogram.ReplaceAllString(name, ""))
		}
	}
	for name := range told() {
		if !slices.Contains(shown, name) {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

// ofMany are the labels whose values are not the operator's to choose.
var ofMany = []string{"account", "service", "operation", "code"}

func TestEveryMetricIsDocumentedWithItsLabelsAndTheirValues(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, ofLabel := range values() {
		for _, value := range ofLabel {
			if !bytes.Contains(text, []byte("`"+value+"`")) {
				t.Errorf("docs/metrics.md does not name %s, which is a value of %s", value, name)
			}
		}
	}
	for name, labels := range told() {
		row := regexp.MustCompile("(?m)^\\| `" + name + "` \\|.*$").Find(text)
		if row == nil {
			t.Errorf("docs/metrics.md has no row for %s", name)
			continue
		}
		for _, label := range labels {
			if !slices.Contains(ofMany, label) && values()[name+"/"+label] == nil {
				t.Errorf("the test does not know the values of label %s of %s", label, name)
			}
			if !regexp.MustCompile("`" + label + "`").Match(row) {
				t.Errorf("docs/metrics.md does not name label %s of %s", label, name)
			}
		}
	}
}
