package manifest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/internal/manifest"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }

// schemas compiles the rules once: that takes a second.
var schemas = sync.OnceValue(func() manifest.Schemas {
	loaded, err := manifest.Load()
	if err != nil {
		panic(err)
	}
	return loaded
})

// samples are the objects of config/samples, in the namespace of the tests.
func samples(t *testing.T) []*manifest.Object {
	t.Helper()
	content, err := manifest.Read([]string{"../../config/samples"}, nil)
	if err != nil || len(content.Problems) > 0 {
		t.Fatal(err, content.Problems)
	}
	objects := slices.DeleteFunc(content.Objects, func(o *manifest.Object) bool { return schemas()[o.GroupVersionKind()] == nil })
	for _, o := range objects {
		if o.GetNamespace() != "" {
			o.SetNamespace(scenario.Team)
		}
	}
	return objects
}

func TestEverySampleIsValid(t *testing.T) {
	objects := samples(t)
	if len(objects) < 10 {
		t.Fatalf("%d samples were read", len(objects))
	}
	for _, o := range objects {
		for _, problem := range schemas().Validate(t.Context(), o, nil) {
			t.Error(problem)
		}
	}
}

// The judge is an API server: it is asked about the same object, in a dry run.
func TestWhatIsRejectedIsWhatAnAPIServerRejects(t *testing.T) {
	w := scenario.NewWithoutManager(t)
	objects := samples(t)
	rapid.Check(t, func(rt *rapid.T) {
		o := rapid.SampledFrom(objects).Draw(rt, "sample")
		broken := &unstructured.Unstructured{Object: o.DeepCopy().Object}
		for range rapid.IntRange(1, 2).Draw(rt, "changes") {
			mutate(rt, broken.Object)
		}
		if broken.GetKind() != o.GetKind() || broken.GetAPIVersion() != o.GetAPIVersion() || broken.GetNamespace() != o.GetNamespace() {
			rt.Skip("it is another object")
		}
		want := rejection(rt, w.Client, broken.DeepCopy())
		found := schemas().Validate(t.Context(), &manifest.Object{Unstructured: broken}, nil)
		got := []string{}
		for _, p := range found {
			got = append(got, cause(p.Field, p.Message))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			rt.Errorf("%v\nis rejected for\n%s\nand by the API server for\n%s", broken.Object, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// cause is one reason of a rejection. Unknown fields, and metadata that cannot be decoded,
// have words of our own around those of the API server.
func cause(field, message string) string {
	if strings.HasPrefix(message, "unknown field") {
		message = "unknown field"
	}
	if i := strings.Index(message, "json: "); i >= 0 {
		return message[i:]
	}
	return field + ": " + message
}

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

// rejection asks an API server for the reasons to reject an object, sorted; empty for one
// that it accepts.
func rejection(t *rapid.T, c client.Client, o *unstructured.Unstructured) []string {
	err := client.NewDryRunClient(c).Create(context.Background(), o, client.FieldValidation("Strict"))
	if err == nil {
		return []string{}
	}
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok {
		t.Fatalf("the API server gives %v", err)
	}
	causes := map[string]bool{}
	if apierrors.IsInvalid(err) {
		for _, c := range status.ErrStatus.Details.Causes {
			if !strings.Contains(c.Message, "some validation rules were not checked") {
				causes[cause(strings.TrimPrefix(c.Field, "<nil>"), c.Message)] = true
			}
		}
		return slices.Sorted(maps.Keys(causes))
	}
	for _, found := range unknownField.FindAllStringSubmatch(err.Error(), -1) {
		causes[cause(found[1], "unknown field")] = true
	}
	if len(causes) == 0 {
		causes[cause("", err.Error())] = true
	}
	return slices.Sorted(maps.Keys(causes))
}

// mutate changes one value somewhere in the metadata's name or in the spec.
func mutate(t *rapid.T, fields map[string]any) {
	var node any = fields
	key := rapid.SampledFrom([]string{"spec", "spec", "spec", "metadata"}).Draw(t, "part")
	for range 6 {
		below, ok := node.(map[string]any)
		if !ok {
			return
		}
		next := below[key]
		switch deeper := next.(type) {
		case map[string]any:
			if len(deeper) > 0 && rapid.Bool().Draw(t, "deeper") {
				node = deeper
				key = rapid.SampledFrom(slices.Sorted(maps.Keys(deeper))).Draw(t, "key")
				continue
			}
		case []any:
			if len(deeper) > 0 && rapid.Bool().Draw(t, "inside") {
				i := rapid.IntRange(0, len(deeper)-1).Draw(t, "index")
				if inside, ok := deeper[i].(map[string]any); ok && len(inside) > 0 {
					node = inside
					key = rapid.SampledFrom(slices.Sorted(maps.Keys(inside))).Draw(t, "key")
					continue
				}
				deeper[i] = replacement(t)
				return
			}
			if len(deeper) > 0 && rapid.Bool().Draw(t, "twice") {
				below[key] = append(slices.Clone(deeper), runtime.DeepCopyJSONValue(deeper[0]))
				return
			}
		}
		if rapid.Bool().Draw(t, "unknown") {
			below["colour"] = "red"
			return
		}
		if rapid.Bool().Draw(t, "missing") {
			delete(below, key)
			return
		}
		below[key] = replacement(t)
		return
	}
}

func replacement(t *rapid.T) any {
	return runtime.DeepCopyJSONValue(rapid.SampledFrom(replacements).Draw(t, "value"))
}

var replacements = []any{
	"", "i-*", "arn:aws:iam::488821267897:user/x", strings.Repeat("a", 3000), "2027-01-01T00:00:00Z", "10.0.0.0/33", "ap-northeast-1", "Äöü",
	int64(-1), int64(7), int64(1 << 40), true, nil,
	[]any{},
	[]any{"a", "a"},
	map[string]any{},
	map[string]any{"a": "b"},
}

func TestWhatMustNotChangeIsCheckedAgainstTheOldObject(t *testing.T) {
	const text = `apiVersion: ssm-access.dev/v1alpha1
kind: SessionAccess
metadata: {name: one, namespace: team-a}
spec:
  accountRef: {name: %s}
  principals: [{kind: User, name: user01}]
  targets: [{tags: {Env: stg}}]
`
	content, old := read(t, fmt.Sprintf(text, "other")), read(t, fmt.Sprintf(text, "main"))
	valid, problems := schemas().ValidateAll(t.Context(), content, old, "")
	if len(valid) != 0 || len(problems) != 1 || problems[0].Line != 5 || problems[0].Field != "spec.accountRef" {
		t.Errorf("%d objects are valid, and the problems are %v", len(valid), problems)
	}
}
