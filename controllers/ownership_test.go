package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
)

// What is removed in Git must be removed in the cluster. The API server merges
// the entries of a list that is a set or has keys, and keeps an entry as long as
// one manager of fields owns it: the removal is lost without a word.

// granularLists are the lists of specs that are not atomic themselves, each with
// the reason.
var granularLists = map[string]string{
	"SessionAccess.spec.targets[].instanceIDs": "targets is atomic, so no manager owns an entry of this; that it is a set refuses an id that is given twice, for which a rule would cost too much",
}

func TestEveryListOfASpecIsOwnedAsAWhole(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../config/crd/bases/*.yaml")
	if err != nil || len(files) != len(v1alpha1.Kinds()) {
		t.Fatalf("the CRDs are %v, %v", files, err)
	}
	lists := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd map[string]any
		if err := yaml.Unmarshal(data, &crd); err != nil {
			t.Fatal(err)
		}
		versions, _, _ := unstructured.NestedSlice(crd, "spec", "versions")
		kind, _, _ := unstructured.NestedString(crd, "spec", "names", "kind")
		for _, version := range versions {
			spec, ok, err := unstructured.NestedMap(version.(map[string]any), "schema", "openAPIV3Schema", "properties", "spec")
			if err != nil || !ok {
				t.Fatalf("%s has no schema of a spec: %v", file, err)
			}
			eachSchema(kind+".spec", spec, func(path string, schema map[string]any) {
				if schema["type"] != "array" {
					return
				}
				lists++
				if _, excepted := granularLists[path]; schema["x-kubernetes-list-type"] != "atomic" && !excepted {
					t.Errorf("%s has list type %v: an entry that is removed in Git stays while another manager of fields owns it", path, schema["x-kubernetes-list-type"])
				}
			})
		}
	}
	if lists < 20 {
		t.Errorf("only %d lists were found", lists)
	}
}

// eachSchema visits a schema and every schema in it.
func eachSchema(path string, schema map[string]any, visit func(path string, schema map[string]any)) {
	visit(path, schema)
	if items, ok := schema["items"].(map[string]any); ok {
		eachSchema(path+"[]", items, visit)
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok {
		eachSchema(path+"{}", values, visit)
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		eachSchema(path+"."+name, properties[name].(map[string]any), visit)
	}
}

// listed are objects of all kinds with lists, two entries in each of them.
func listed() []client.Object {
	grant := scenario.Access("listed", "user01", scenario.PC01, scenario.PC02)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	grant.Spec.Targets = append(grant.Spec.Targets, v1alpha1.Target{Tags: map[string]string{"Env": "stg"}})
	grant.Spec.Regions = []v1alpha1.Region{scenario.Region, "eu-west-1"}
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Name: "SSM-SessionManagerRunShell"}, {Name: "AWS-StartPortForwardingSession"}}
	grant.Spec.Clients = []v1alpha1.Client{v1alpha1.ClientCLI, v1alpha1.ClientEC2Console}
	grant.Spec.SourceCIDRs = []v1alpha1.CIDR{"203.0.113.0/24", "198.51.100.0/24"}
	two := []v1alpha1.NamePattern{"a*", "b*"}
	main := scenario.Account(func(a *v1alpha1.AWSAccount) {
		a.Spec.Regions = []v1alpha1.Region{scenario.Region, "eu-west-1"}
		a.Spec.AllowedNamespaces.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{
			{Key: "team", Operator: metav1.LabelSelectorOpIn, Values: []string{"a", "b"}}, {Key: "env", Operator: metav1.LabelSelectorOpExists},
		}
		a.Spec.Guardrails = []v1alpha1.Guardrail{{
			Name: "first", NamespaceSelector: &metav1.LabelSelector{}, Documents: two,
			Principals: []v1alpha1.PrincipalPattern{{Kind: v1alpha1.PrincipalUser, Name: "a*"}, {Kind: v1alpha1.PrincipalUser, Name: "b*"}},
			SessionDocuments: &v1alpha1.DocumentRule{
				Adopt: two, ShareWith: []v1alpha1.ShareTarget{"111111111111", "222222222222"}, Keys: []v1alpha1.KeyPattern{"a*", "b*"},
			},
			Activations: &v1alpha1.ActivationRule{Roles: two, TagKeys: two},
		}, {Name: "second", NamespaceSelector: &metav1.LabelSelector{}}}
	})
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) {
		s.Regions = []v1alpha1.Region{scenario.Region, "eu-west-1"}
		s.SharedWith = []v1alpha1.ShareTarget{"111111111111", "222222222222"}
		// With the type, which the API server would add to what Git says.
		s.Parameters = []v1alpha1.DocumentParameter{
			{Name: "one", Type: v1alpha1.ParameterString, AllowedValues: []string{"a", "b"}}, {Name: "two", Type: v1alpha1.ParameterString},
		}
	})
	tier := scenario.AccountTier(v1alpha1.TierAdvanced, func(a *v1alpha1.AccountTier) { a.Spec.Regions = []v1alpha1.Region{scenario.Region, "eu-west-1"} })
	return []client.Object{grant, main, doc, tier}
}

// plain is an object as it is in Git.
func (w world) plain(obj client.Object) *unstructured.Unstructured {
	w.T.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	w.Must(err)
	u := &unstructured.Unstructured{Object: map[string]any{"spec": content["spec"]}}
	gvk, err := w.Client.GroupVersionKindFor(obj)
	w.Must(err)
	u.SetGroupVersionKind(gvk)
	u.SetName(obj.GetName())
	u.SetNamespace(obj.GetNamespace())
	return u
}

// listsIn are the paths of the lists in a value that have two entries.
func listsIn(value any, path []any) [][]any {
	var paths [][]any
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			paths = append(paths, listsIn(value[key], append(slices.Clone(path), key))...)
		}
	case []any:
		if len(value) == 2 {
			paths = append(paths, path)
		}
		for i := range value {
			paths = append(paths, listsIn(value[i], append(slices.Clone(path), i))...)
		}
	}
	return paths
}

// entries are the entries of the list at a path; with shorten the last is removed.
func entries(value any, path []any, shorten bool) []any {
	if len(path) == 0 {
		return value.([]any)
	}
	switch step := path[0].(type) {
	case int:
		return entries(value.([]any)[step], path[1:], shorten)
	default:
		at := value.(map[string]any)
		if len(path) == 1 && shorten {
			list := at[step.(string)].([]any)
			at[step.(string)] = list[:len(list)-1]
		}
		return entries(at[step.(string)], path[1:], shorten)
	}
}

// apply applies an object on the server as a manager of fields.
func (w world) apply(u *unstructured.Unstructured, manager string, force bool) error {
	data, err := json.Marshal(u)
	w.Must(err)
	options := []client.PatchOption{client.FieldOwner(manager)}
	if force {
		options = append(options, client.ForceOwnership)
	}
	return w.Client.Patch(w.T.Context(), u.DeepCopy(), client.RawPatch(types.ApplyPatchType, data), options...)
}

// removalCounts has a manager of fields remove an entry. It checks that the entry
// is gone, or else that the manager meets a conflict and that force removes it.
func (w world) removalCounts(u *unstructured.Unstructured, path []any, manager string) {
	w.T.Helper()
	shorter := u.DeepCopy()
	entries(shorter.Object, path, true)
	err := w.apply(shorter, manager, false)
	if apierrors.IsConflict(err) {
		err = w.apply(shorter, manager, true)
	}
	w.Must(err)
	got := u.DeepCopy()
	w.Must(w.Client.Get(w.T.Context(), scenario.KeyOf(u), got))
	if left := entries(got.Object, path, false); len(left) != 1 {
		w.T.Errorf("%s removed an entry of %s%v without a word, and it is still there: %v", manager, u.GetKind(), path, left)
	}
}

func TestARemovalByAnyManagerOfFieldsHappensOrConflicts(t *testing.T) {
	w := worldWithoutManager(t)
	for _, obj := range listed() {
		sound := w.plain(obj)
		for i, path := range listsIn(sound.Object["spec"], []any{"spec"}) {
			manager := []string{"argocd-controller", "kustomize-controller", "helm"}[i%3]
			t.Run(fmt.Sprint(sound.GetKind(), path, " by ", manager), func(t *testing.T) {
				w := world{World: scenario.World{Env: w.Env, T: t}}
				w.Must(w.Client.Create(t.Context(), sound.DeepCopy(), client.FieldOwner("kubectl-create")))
				t.Cleanup(func() { _ = w.Client.Delete(context.Background(), sound.DeepCopy()) })
				w.Must(w.apply(sound, manager, false))
				w.removalCounts(sound, path, manager)
			})
		}
	}
}

func TestARemovalByOneOfTwoThatApplyHappensOrConflicts(t *testing.T) {
	w := worldWithoutManager(t)
	for _, obj := range listed() {
		sound := w.plain(obj)
		for _, path := range listsIn(sound.Object["spec"], []any{"spec"}) {
			w.Must(w.apply(sound, "kustomize-controller", true))
			w.Must(w.apply(sound, "argocd-controller", false))
			w.removalCounts(sound, path, "argocd-controller")
		}
	}
}

func TestARemovalCountsThoughTheFieldsWereOwnedOneByOne(t *testing.T) {
	w := worldWithoutManager(t)
	w.install(earlierCRDs)
	for _, obj := range listed() {
		sound := w.plain(obj)
		w.Must(w.Client.Create(t.Context(), sound.DeepCopy(), client.FieldOwner("kubectl-create")))
		w.Must(w.apply(sound, "argocd-controller", false))
		w.Must(w.apply(sound, "kustomize-controller", false))
	}
	w.install(presentCRDs)
	for _, obj := range listed() {
		sound := w.plain(obj)
		for _, path := range listsIn(sound.Object["spec"], []any{"spec"}) {
			w.removalCounts(sound, path, "argocd-controller")
			w.Must(w.apply(sound, "argocd-controller", true))
		}
	}
}

// repeatable are the lists that may hold an entry twice: any of the entries is
// enough. A rule for the patterns and ARNs of guardrails costs more than the API server
// allows.
var repeatable = map[string]bool{
	"SessionAccess.targets": true, "SessionAccess.documents": true,
	"AWSAccount.values": true, "AWSAccount.matchExpressions": true, "AWSAccount.principals": true, "AWSAccount.documents": true,
	"AWSAccount.adopt": true, "AWSAccount.keys": true, "AWSAccount.roles": true, "AWSAccount.tagKeys": true,
	"AWSAccount.shareWith": true,
}

func TestTheAPIServerRejectsAListThatNamesOneThingTwice(t *testing.T) {
	w := worldWithoutManager(t)
	for _, obj := range listed() {
		sound := w.plain(obj)
		for _, path := range listsIn(sound.Object["spec"], []any{"spec"}) {
			if repeatable[fmt.Sprint(sound.GetKind(), ".", path[len(path)-1])] {
				continue
			}
			doubled := sound.DeepCopy()
			list := entries(doubled.Object, path, false)
			list[1] = runtime.DeepCopyJSONValue(list[0])
			if err := w.Client.Create(t.Context(), doubled, client.DryRunAll); err == nil {
				t.Errorf("%s%v takes one entry twice", sound.GetKind(), path)
			}
		}
	}
}
