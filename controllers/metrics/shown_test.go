package metrics

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"
)

const configDir = "../../config"

var (
	describedName = regexp.MustCompile(`fqName: "([^"]+)"`)
	describedTags = regexp.MustCompile(`variableLabels: \{([^}]*)\}`)
	usedName      = regexp.MustCompile(namespace + `_[a-z_]+`)
	usedLabel     = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!=|!~|=)\s*"`)
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

func TestRulesAndDashboardUseMetricsAndLabelsThatExist(t *testing.T) {
	exist := told()
	for _, file := range []string{"prometheus/rules.yaml", "grafana/dashboard.json"} {
		for _, expr := range read(t, file) {
			names := usedName.FindAllString(expr, -1)
			var allowed []string
			for _, name := range names {
				name = ofHistogram.ReplaceAllString(name, "")
				labels, ok := exist[name]
				if !ok {
					t.Errorf("%s: there is no metric %s in %q", file, name, expr)
				}
				allowed = append(allowed, labels...)
			}
			for _, match := range usedLabel.FindAllStringSubmatch(expr, -1) {
				if !slices.Contains(allowed, match[1]) {
					t.Errorf("%s: there is no label %s in %q", file, match[1], expr)
				}
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

func TestEveryMetricIsDocumentedWithItsLabels(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, labels := range told() {
		row := regexp.MustCompile("(?m)^\\| `" + name + "` \\|.*$").Find(text)
		if row == nil {
			t.Errorf("docs/metrics.md has no row for %s", name)
			continue
		}
		for _, label := range labels {
			if !regexp.MustCompile("`" + label + "`").Match(row) {
				t.Errorf("docs/metrics.md does not name label %s of %s", label, name)
			}
		}
	}
}

func TestARevocationIsTimedOnceToEachEnd(t *testing.T) {
	m := New()
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	m.RevocationSeen("one", at(0))
	m.RevocationSeen("one", at(5)) // Still the same one.
	m.PermissionGone("one", "123456789012", at(10))
	m.PermissionGone("one", "123456789012", at(20))
	m.RevocationDone("one", "123456789012", at(70))
	m.PermissionGone("unseen", "123456789012", at(70))
	if len(m.inFlight.began) != 0 {
		t.Errorf("%d revocations are left over", len(m.inFlight.began))
	}
	got := map[string][2]float64{}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, sample := range family.GetMetric() {
			if h := sample.GetHistogram(); h != nil {
				got[sample.GetLabel()[1].GetValue()] = [2]float64{float64(h.GetSampleCount()), h.GetSampleSum()}
			}
		}
	}
	if got["permission"] != [2]float64{1, 10} || got["sessions"] != [2]float64{1, 70} {
		t.Errorf("timed %v", got)
	}
}
