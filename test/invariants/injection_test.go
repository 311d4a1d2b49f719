package invariants_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// payloads are put into every string that a tenant may write.
var payloads = []string{
	`"`,
	`"}],"Effect":"Allow","Action":"*","Resource":"*","x":[{"y":"`,
	`*`,
	`i-0?1cac51072605f39`,
	`${aws:username}`,
	`{{ ssm:secret }}`,
	`'; reboot #`,
	"$(reboot)`reboot`",
	"a\nb\r\nc",
	"\u202eterces\u0000",
	`../proof-a/site`,
	`proof-a/site`,
	`arn:aws:iam::488821267897:user/user01`,
	`aws:ssm-access.dev/owner`,
}

// hostileAtOnce is how many objects rest together. All of them name the same
// people, whose policies have quotas.
const hostileAtOnce = 24

// Whatever a tenant writes into any string is refused by the API server, or means
// itself and nothing else.
func TestEveryStringOfATenantMeansItselfOrIsRefused(t *testing.T) {
	h := attacked(t, 0, 0)
	rest(t, h)
	fields, tried, accepted := map[string]bool{}, 0, 0
	var held []*unstructured.Unstructured
	flush := func() {
		rest(t, h)
		for _, u := range held {
			if err := h.Forget(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		rest(t, h)
		held = nil
	}
	for _, sound := range objects(t) {
		for _, l := range leaves(sound.Object["spec"], nil) {
			field := sound.GetKind() + l.name()
			if fields[field] {
				continue
			}
			fields[field] = true
			for _, payload := range some(len(fields)) {
				u := sound.DeepCopy()
				call(u, fmt.Sprint("hostile-", tried))
				set(u.Object, l, payload)
				ok, err := h.Try(t.Context(), u)
				if err != nil {
					t.Fatal(err)
				}
				if tried++; !ok {
					continue
				}
				accepted++
				if held = append(held, u); len(held) == hostileAtOnce {
					flush()
				}
			}
		}
	}
	flush()
	t.Logf("%d strings in %d fields tried, %d of them accepted", tried, len(fields), accepted)
	for _, field := range declaredStrings(t) {
		if !fields[field] {
			t.Errorf("nothing was tried in %s", field)
		}
	}
}

// sampled is how many strings are tried in a field when not all are.
const sampled = 3

// some are the strings to try in the n-th field. One field after the other gets
// the next ones.
func some(n int) []string {
	if *whole {
		return payloads
	}
	var chosen []string
	for i := range sampled {
		chosen = append(chosen, payloads[(n*sampled+i)%len(payloads)])
	}
	return chosen
}

// objects are some that together have every string which there is.
func objects(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	first := grant(people(user("user01")), pc01)
	first.Targets = append(first.Targets, v1alpha1.Target{Tags: map[string]string{"Env": "stg"}})
	first.Documents = []v1alpha1.DocumentReference{{Name: "Shell"}}
	first.Regions, first.Clients = []v1alpha1.Region{"ap-northeast-1"}, []v1alpha1.Client{v1alpha1.ClientCLI}
	first.SourceCIDRs, first.Reason = []v1alpha1.CIDR{"203.0.113.0/24"}, "ticket"
	first.SessionScope, first.OnRevoke = v1alpha1.ScopeUsername, v1alpha1.RevokeTerminateSessions
	second := grant(people(user("user02")))
	second.Targets = []v1alpha1.Target{{ActivationRef: &v1alpha1.LocalReference{Name: "nothing"}}}
	second.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "nothing"}}}
	activation := invariants.Activation(invariants.Namespace, "a", 2)
	activation.Spec.DefaultInstanceName, activation.Spec.SecretName = "machine", "code"
	activation.Spec.Tags = map[string]string{"Env": "stg"}
	all := []*unstructured.Unstructured{
		object(t, invariants.Access(invariants.Namespace, "a", first), map[string]any{"notBefore": "2020-01-01T00:00:00Z", "notAfter": "2100-01-01T00:00:00Z"}),
		object(t, invariants.Access(invariants.Namespace, "a", second), nil),
		object(t, activation, map[string]any{"validFor": "24h", "rotateBefore": "2h", "onDelete": map[string]any{"nodes": "Keep"}}),
	}
	for _, d := range documentSpecs() {
		all = append(all, object(t, invariants.Document("a", "date"), d))
	}
	return all
}

// documentSpecs are specs of the three types of sessions.
func documentSpecs() []map[string]any {
	parameters := []any{map[string]any{
		"name": "word", "type": "String", "description": "a word", "default": "yes", "allowedPattern": "^[a-z]+$", "allowedValues": []any{"yes", "no"},
		"displayType": "textfield", "interpolationType": "ENV_VAR",
	}, map[string]any{
		"name": "words", "type": "StringList", "defaultList": []any{"yes"},
	}, map[string]any{
		"name": "settings", "type": "StringMap", "defaultMap": map[string]any{"word": "yes"},
	}}
	return []map[string]any{
		{
			"sessionType": "Standard_Stream", "description": "a shell", "regions": []any{"ap-northeast-1"}, "name": "Named",
			"inputs": map[string]any{
				"s3BucketName": "logs", "s3KeyPrefix": "sessions", "cloudWatchLogGroupName": "/sessions", "kmsKeyId": "alias/sessions",
				"runAsEnabled": true, "runAsDefaultUser": "web", "idleSessionTimeout": "20", "maxSessionDuration": "60",
				"shellProfile": map[string]any{"linux": "date", "windows": "Get-Date"},
			},
			"tags": map[string]any{"Env": "stg"}, "sharedWith": []any{"111111111111"}, "promotion": "Automatic", "deletionPolicy": "Delete", "onDelete": "Delete",
		},
		{
			"sessionType": "InteractiveCommands", "inputs": nil, "parameters": parameters,
			"properties": map[string]any{
				"linux": map[string]any{"commands": "date"}, "windows": map[string]any{"commands": "Get-Date"}, "macOS": map[string]any{"commands": "date"},
			},
		},
		{
			"sessionType": "Port", "inputs": nil,
			"properties": map[string]any{"portNumber": "22", "localPortNumber": "2222", "type": "LocalPortForwarding", "host": "db.example.com"},
		},
	}
}

// object is one with some fields of its spec set or, where nil, left out.
func object(t *testing.T, obj client.Object, spec map[string]any) *unstructured.Unstructured {
	t.Helper()
	gvk, err := cluster.Client.GroupVersionKindFor(obj)
	if err != nil {
		t.Fatal(err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		t.Fatal(err)
	}
	delete(content, "status")
	for field, value := range spec {
		if content["spec"].(map[string]any)[field] = value; value == nil {
			delete(content["spec"].(map[string]any), field)
		}
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	u.SetCreationTimestamp(metav1.Time{})
	return u
}

// call sets the name of an object, and of what it makes in AWS and the cluster.
func call(u *unstructured.Unstructured, name string) {
	u.SetName(name)
	spec := u.Object["spec"].(map[string]any)
	for _, field := range []string{"name", "secretName", "description"} {
		if spec[field] != nil {
			spec[field] = name
		}
	}
}

// leaf is the path to a string in a spec: keys and indices. In a map whose keys
// the schema does not name, the key is a string as well.
type leaf struct {
	path []any
	key  bool
}

// name is the way as declaredStrings spells it.
func (l leaf) name() string {
	text := ""
	for _, step := range l.path {
		key, ok := step.(string)
		switch {
		case !ok:
			text += "[]"
		case open(text) && l.key:
			text += "{key}"
		case open(text):
			text += "{}"
		default:
			text += "." + key
		}
	}
	return text
}

// leaves are the ways to all strings of a spec.
func leaves(value any, path []any) []leaf {
	var found []leaf
	switch value := value.(type) {
	case string:
		return []leaf{{path: path}}
	case []any:
		for i := range value {
			found = append(found, leaves(value[i], append(slices.Clone(path), i))...)
		}
	case map[string]any:
		for key := range value {
			below := append(slices.Clone(path), key)
			found = append(found, leaves(value[key], below)...)
			if len(path) > 0 && open(fmt.Sprint(".", path[len(path)-1])) {
				found = append(found, leaf{path: below, key: true})
			}
		}
	}
	slices.SortFunc(found, func(a, h leaf) int { return strings.Compare(a.name(), h.name()) })
	return found
}

// set puts a string where a leaf is.
func set(object map[string]any, l leaf, text string) {
	at := object["spec"]
	for _, step := range l.path[:len(l.path)-1] {
		if i, ok := step.(int); ok {
			at = at.([]any)[i]
			continue
		}
		at = at.(map[string]any)[step.(string)]
	}
	switch last := l.path[len(l.path)-1].(type) {
	case int:
		at.([]any)[last] = text
	case string:
		if l.key {
			at.(map[string]any)[text] = at.(map[string]any)[last]
			delete(at.(map[string]any), last)
			return
		}
		at.(map[string]any)[last] = text
	}
}

// declaredStrings are all strings in the schemas of what a tenant writes.
func declaredStrings(t *testing.T) []string {
	t.Helper()
	var found []string
	for kind, file := range map[string]string{"SessionAccess": "sessionaccesses", "SessionDocument": "sessiondocuments", "HybridActivation": "hybridactivations"} {
		_, schema := specSchema(t, filepath.Join("..", "..", "config", "crd", "bases", "ssm-access.dev_"+file+".yaml"))
		found = append(found, stringsOf(schema, kind)...)
	}
	slices.Sort(found)
	return found
}

// specSchema reads the kind that a CRD's file declares, and the schema of its spec.
func specSchema(t *testing.T, file string) (kind string, schema map[string]any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var crd map[string]any
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	kind, _, err = unstructured.NestedString(crd, "spec", "names", "kind")
	if err != nil {
		t.Fatal(err)
	}
	versions, _, err := unstructured.NestedSlice(crd, "spec", "versions")
	if err != nil {
		t.Fatal(err)
	}
	schema, _, err = unstructured.NestedMap(versions[0].(map[string]any), "schema", "openAPIV3Schema", "properties", "spec")
	if err != nil {
		t.Fatal(err)
	}
	return kind, schema
}

// stringsOf are the strings of a schema, with the way to them.
func stringsOf(schema map[string]any, way string) []string {
	var found []string
	if schema["type"] == "string" {
		found = append(found, way)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		found = append(found, stringsOf(items, way+"[]")...)
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok {
		found = append(append(found, way+"{key}"), stringsOf(values, way+"{}")...)
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, below := range properties {
		found = append(found, stringsOf(below.(map[string]any), way+"."+name)...)
	}
	return found
}
