package controllers_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
)

// managerMay are the sorted verbs of the operator's role for each "group/resource".
// The scenarios of this package run with the role, so that what is missing in it
// shows there; what is too much shows here.
var managerMay = map[string][]string{
	// The labels of namespaces decide who may use an account: they are cached. The
	// owner id is the UID of kube-system, which is read before there is a cache.
	"/namespaces": {"get", "list", "watch"},
	// The code of an activation is kept in a Secret. It is read past the cache, which
	// would ask for all Secrets, and written as a whole.
	"/secrets": {"create", "delete", "get", "update"},
	// An event is created, and one that repeats is counted on by a patch.
	"events.k8s.io/events": {"create", "patch"},
}

// withKinds adds what the operator may do with the objects of every kind, which is the
// same for all.
func withKinds(t *testing.T, may map[string][]string) map[string][]string {
	t.Helper()
	may = maps.Clone(may)
	for _, kind := range v1alpha1.Kinds() {
		gvk := v1alpha1.GroupVersion.WithKind(v1alpha1.KindOf(kind))
		mapping, err := scenario.Cluster(t).Client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil {
			t.Fatal(err)
		}
		resource := mapping.Resource.Group + "/" + mapping.Resource.Resource
		// The objects come from the cache, which lists and watches; where it is behind the
		// operator's own patch, one is read past it. The patch sets and removes the finalizer.
		may[resource] = []string{"get", "list", "patch", "watch"}
		// What the operator reports and records is patched into the status.
		may[resource+"/status"] = []string{"patch"}
	}
	return may
}

// leaderMay is the same for the role in the operator's own namespace, with the
// names of what it is about.
var leaderMay = map[string][]string{
	// A rule cannot restrict a create by name: the object has no name yet.
	"coordination.k8s.io/leases": {"create"},
	// The lease is read before it is taken, and renewed as a whole.
	"coordination.k8s.io/leases manager.ssm-access.dev": {"get", "update"},
}

func TestTheOperatorsRolesAllowExactlyWhatIsUsed(t *testing.T) {
	manager, leader := &rbacv1.ClusterRole{}, &rbacv1.Role{}
	readRole(t, "role.yaml", manager)
	readRole(t, "leader_election_role.yaml", leader)
	for file, role := range map[string]struct {
		rules []rbacv1.PolicyRule
		want  map[string][]string
	}{
		"role.yaml":                 {manager.Rules, withKinds(t, managerMay)},
		"leader_election_role.yaml": {leader.Rules, leaderMay},
	} {
		got := allowed(t, file, role.rules)
		for what, verbs := range got {
			if want := role.want[what]; !slices.Equal(verbs, want) {
				t.Errorf("%s allows %v on %q, and the operator needs %v: correct the markers, or say here what the verbs are for", file, verbs, what, want)
			}
		}
		for what, want := range role.want {
			if got[what] == nil {
				t.Errorf("%s allows nothing on %q, and the operator needs %v", file, what, want)
			}
		}
	}
	if manager.AggregationRule != nil {
		t.Error("role.yaml takes in whatever other roles allow")
	}
}

func readRole(t *testing.T, file string, role any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(scenario.Cluster(t).Checkout, "config", "rbac", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, role); err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
}

// allowed has the sorted verbs for each "group/resource", followed by the names
// where a rule is bound to some.
func allowed(t *testing.T, file string, rules []rbacv1.PolicyRule) map[string][]string {
	t.Helper()
	verbs := map[string][]string{}
	for _, rule := range rules {
		if len(rule.NonResourceURLs) > 0 {
			t.Errorf("%s allows %v on %v, which the operator never asks for", file, rule.Verbs, rule.NonResourceURLs)
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				what := strings.Join(append([]string{fmt.Sprintf("%s/%s", group, resource)}, rule.ResourceNames...), " ")
				verbs[what] = append(verbs[what], rule.Verbs...)
			}
		}
	}
	for _, of := range verbs {
		slices.Sort(of)
	}
	return verbs
}

// The API server understands the role as it is meant.
func TestTheOperatorMayNotDoInTheClusterWhatItDoesNot(t *testing.T) {
	w := worldWithoutManager(t)
	operator, err := client.New(scenario.Cluster(t).OperatorConfig(), client.Options{Scheme: scenario.Cluster(t).Client.Scheme()})
	w.Must(err)
	w.Create(scenario.Account())
	ctx := t.Context()
	for what, err := range map[string]error{
		"list Secrets":           operator.List(ctx, &corev1.SecretList{}),
		"list ConfigMaps":        operator.List(ctx, &corev1.ConfigMapList{}),
		"create an AWSAccount":   operator.Create(ctx, scenario.Account()),
		"delete an AWSAccount":   operator.Delete(ctx, scenario.Account()),
		"create a SessionAccess": operator.Create(ctx, scenario.Access("one", "user01", scenario.PC01)),
		"list roles":             operator.List(ctx, &rbacv1.ClusterRoleList{}),
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("the operator may %s: %v", what, err)
		}
	}
}
