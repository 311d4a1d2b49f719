package controllers_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// The scenarios run with this role: what is missing in it shows there. This is
// about what must not be in it.
func TestTheOperatorsRoleHasNoWildcardAndReadsNoSecretsInBulk(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(cluster.Checkout, "config", "rbac", "role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.UnmarshalStrict(text, role); err != nil {
		t.Fatal(err)
	}
	secretVerbs := []string{"get", "create", "update", "patch", "delete"}
	for _, rule := range role.Rules {
		if slices.Contains(slices.Concat(rule.Verbs, rule.Resources, rule.APIGroups), "*") || len(rule.NonResourceURLs) > 0 {
			t.Errorf("%v is wider than what is used", rule)
		}
		for _, verb := range rule.Verbs {
			if slices.Contains([]string{"escalate", "bind", "impersonate", "deletecollection"}, verb) {
				t.Errorf("%v allows %s", rule, verb)
			}
			if slices.Contains(rule.Resources, "secrets") && !slices.Contains(secretVerbs, verb) {
				t.Errorf("%v allows to %s Secrets", rule, verb)
			}
		}
	}
}

func TestTheOperatorMayNotDoInTheClusterWhatItDoesNot(t *testing.T) {
	w := worldWithoutManager(t)
	operator, err := client.New(cluster.OperatorConfig(), client.Options{Scheme: cluster.Client.Scheme()})
	w.must(err)
	ctx := t.Context()
	for what, err := range map[string]error{
		"list Secrets":           operator.List(ctx, &corev1.SecretList{}),
		"list ConfigMaps":        operator.List(ctx, &corev1.ConfigMapList{}),
		"create an AWSAccount":   operator.Create(ctx, account()),
		"create a SessionAccess": operator.Create(ctx, access("one", "user01", pc01)),
		"list roles":             operator.List(ctx, &rbacv1.ClusterRoleList{}),
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("the operator may %s: %v", what, err)
		}
	}
}
