package v1alpha1_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// root is the root of the repository.
const root = "../.."

// crdKinds are the kinds that controller-gen found in the sources, each with its plural.
func crdKinds(t *testing.T) map[string]string {
	t.Helper()
	kinds := map[string]string{}
	for _, file := range glob(t, "config/crd/bases/*.yaml") {
		var crd struct {
			Spec struct {
				Names struct{ Kind, Plural string }
			}
		}
		if err := yaml.Unmarshal([]byte(read(t, file)), &crd); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		kinds[crd.Spec.Names.Kind] = crd.Spec.Names.Plural
	}
	return kinds
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func TestKindsAreTheKindsThatHaveSchemas(t *testing.T) {
	t.Parallel()
	schemas := crdKinds(t)
	for _, kind := range v1alpha1.Kinds() {
		name := v1alpha1.KindOf(kind)
		if schemas[name] == "" {
			t.Errorf("%s has no schema in config/crd/bases: run make generate", name)
		}
		delete(schemas, name)
	}
	for name := range schemas {
		t.Errorf("%s has a schema in config/crd/bases and is missing in Kinds", name)
	}
}

func TestAnObjectKnowsItsListAndItsStatus(t *testing.T) {
	t.Parallel()
	for _, kind := range v1alpha1.Kinds() {
		name := v1alpha1.KindOf(kind)
		if list := reflect.TypeOf(kind.EmptyList()).Elem().Name(); list != name+"List" {
			t.Errorf("the list of a %s is a %s", name, list)
		}
		status, conditions, observedGeneration, _ := kind.StatusFields()
		if own := reflect.ValueOf(kind).Elem().FieldByName("Status").Addr().Interface(); status != own || conditions == nil || observedGeneration == nil {
			t.Errorf("the status of a %s is another's", name)
		}
	}
}

// What finds, counts and releases the objects of an AWSAccount knows an AccountUser only.
func TestAKindThatNamesAnAccountIsAnAccountUser(t *testing.T) {
	t.Parallel()
	users := v1alpha1.AccountUsers()
	for _, kind := range v1alpha1.Kinds() {
		_, names := reflect.TypeOf(kind).Elem().FieldByName("Spec")
		spec := reflect.ValueOf(kind).Elem().FieldByName("Spec")
		if !names || !spec.FieldByName("AccountRef").IsValid() {
			continue
		}
		if !slices.ContainsFunc(users, func(u v1alpha1.AccountUser) bool { return reflect.TypeOf(u) == reflect.TypeOf(kind) }) {
			t.Errorf("%s has spec.accountRef and is no AccountUser: it lacks AccountName or HasRecord", v1alpha1.KindOf(kind))
		}
	}
}

// The places that name a kind and cannot be made from Kinds. In a text, <kind> is the name
// of the kind in lower case, <Kind> the name itself and <kinds> its plural. A pattern of
// several files needs the text in one of them.
var places = []struct{ files, text string }{
	{"PROJECT", "  kind: <Kind>\n"},
	{"config/crd/kustomization.yaml", "- bases/ssm-access.dev_<kinds>.yaml\n"},
	{"config/rbac/kustomization.yaml", "- <kind>_editor_role.yaml\n"},
	{"config/rbac/kustomization.yaml", "- <kind>_viewer_role.yaml\n"},
	{"config/rbac/<kind>_editor_role.yaml", "resources: [<kinds>]\n"},
	{"config/rbac/<kind>_viewer_role.yaml", "resources: [<kinds>]\n"},
	{"config/samples/*/*.yaml", "kind: <Kind>\n"},
	{"controllers/setup.go", "(&<kind>.Reconciler{"},
	{"docs/<kind>.md", "# <Kind>\n"},
	{"docs/development.md", "| `controllers/<kind>` |"},
	{"README.md", "(docs/<kind>.md)"},
	{".golangci.yml", `files: ["**/controllers/<kind>/**", "!$test"]`},
}

func TestEveryKindIsNamedInEveryPlace(t *testing.T) {
	t.Parallel()
	for name, plural := range crdKinds(t) {
		named := strings.NewReplacer("<kind>", strings.ToLower(name), "<Kind>", name, "<kinds>", plural).Replace
		for _, place := range places {
			files, text := glob(t, named(place.files)), named(place.text)
			if !slices.ContainsFunc(files, func(file string) bool { return strings.Contains(read(t, file), text) }) {
				t.Errorf("%s lacks %q: see \"Adding a kind\" in docs/development.md", named(place.files), text)
			}
		}
	}
}
