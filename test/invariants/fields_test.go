package invariants_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// fixed are the fields that no act changes, and why.
var fixed = map[string]string{
	"AWSAccount.accountID":             "it cannot change, and a harness has one account",
	"AWSAccount.assumeRole.externalID": "a harness's manager works with the credentials that it was started with",
	"AWSAccount.assumeRole.roleARN":    "the same",
	"AWSAccount.regions[]":             "the nodes of a harness are in one region",
	"HybridActivation.description":     "the judge tells the activations in AWS by it",
	"SessionAccess.accountRef.name":    "it cannot change; another account is tried among the hostile strings",
	"SessionDocument.accountRef.name":  "the same",
	"HybridActivation.accountRef.name": "the same",
	"AccountTier.accountRef.name":      "it cannot change, and a harness has one account",
	"AWSAccount.suspend":               "the model does not know of it; scenarios of the kinds show what it holds back",
	"AccountTier.suspend":              "the same",
	"HybridActivation.suspend":         "the same",
	"SessionAccess.suspend":            "the same",
	"SessionDocument.suspend":          "the same",
}

// Every field of a kind is drawn, or the list above explains why not.
func TestEveryFieldOfTheSchemasIsDrawn(t *testing.T) {
	values := map[string]map[string]bool{}
	account := still(func(rt *rapid.T) client.Object {
		return accountObjects(rt, (&invariants.Harness{Domain: small}).Account())
	})
	for i, draw := range append(slices.Clone(drawers), account) {
		at := rapid.Custom(func(rt *rapid.T) client.Object {
			object, _ := draw(rt)
			return object(time.Unix(0, 0))
		})
		for seed := range drawsOfAKind {
			obj := at.Example(i*drawsOfAKind + seed)
			gvk, err := cluster.Client.GroupVersionKindFor(obj)
			if err != nil {
				t.Fatal(err)
			}
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
			if err != nil {
				t.Fatal(err)
			}
			note(values, gvk.Kind, content["spec"])
		}
	}
	schemas := declaredFields(t)
	for _, field := range schemas {
		_, excepted := fixed[field]
		if len(values[field]) == 0 && !excepted {
			t.Errorf("%s is never drawn: draw it, or say in fixed why not", field)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(fixed)) {
		if !slices.Contains(schemas, field) {
			t.Errorf("%s is in fixed and in no schema", field)
		}
	}
	t.Logf("%d fields, %d of them fixed", len(schemas), len(fixed))
}

// drawsOfAKind is how many objects are drawn to see each field.
const drawsOfAKind = 300

// note collects the values of all fields below a way.
func note(values map[string]map[string]bool, way string, value any) {
	switch value := value.(type) {
	case map[string]any:
		if open(way) {
			if len(value) > 0 {
				note(values, way+"{}", "some")
			}
			return
		}
		for key, below := range value {
			note(values, way+"."+key, below)
		}
	case []any:
		for _, below := range value {
			note(values, way+"[]", below)
		}
	default:
		if values[way] == nil {
			values[way] = map[string]bool{}
		}
		text, err := yaml.Marshal(value)
		if err == nil && strings.TrimSpace(string(text)) != `""` {
			values[way][string(text)] = true
		}
	}
}

// open reports whether a schema does not name the keys of a map.
func open(way string) bool {
	for _, last := range []string{".tags", ".requiredTags", ".matchLabels", ".defaultMap"} {
		if strings.HasSuffix(way, last) {
			return true
		}
	}
	return false
}

// declaredFields are all fields of the specs in the schemas that hold a value.
func declaredFields(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "config", "crd", "bases", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		kind, schema := specSchema(t, file)
		found = append(found, fieldsOf(schema, kind)...)
	}
	slices.Sort(found)
	return found
}

func fieldsOf(schema map[string]any, way string) []string {
	if items, ok := schema["items"].(map[string]any); ok {
		return fieldsOf(items, way+"[]")
	}
	if _, ok := schema["additionalProperties"]; ok {
		return []string{way + "{}"}
	}
	properties, ok := schema["properties"].(map[string]any)
	if !ok {
		return []string{way}
	}
	var found []string
	for name, below := range properties {
		found = append(found, fieldsOf(below.(map[string]any), way+"."+name)...)
	}
	return found
}
