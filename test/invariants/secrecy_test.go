package invariants_test

import (
	"maps"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// A code may be in the Secret of its HybridActivation and nowhere else: not in
// another Secret either, nor in a ConfigMap, where no watch of the project looks.
func TestACodeInASecretOrConfigMapOfOthersIsFound(t *testing.T) {
	for name, copied := range map[string]func(map[string][]byte) client.Object{
		"a Secret": func(data map[string][]byte) client.Object {
			return &corev1.Secret{Data: maps.Clone(data)}
		},
		"a ConfigMap": func(data map[string][]byte) client.Object {
			return &corev1.ConfigMap{Data: map[string]string{"script": string(data["register-linux.sh"])}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := attacked(t, 0, 0)
			site := invariants.Activation(invariants.Namespace, "site", 2)
			if err := declare(t.Context(), h, site); err != nil {
				t.Fatal(err)
			}
			rest(t, h)
			var own corev1.Secret
			if err := h.Client.Get(t.Context(), client.ObjectKey{Namespace: invariants.Namespace, Name: site.SecretName()}, &own); err != nil {
				t.Fatal(err)
			}
			leak := copied(own.Data)
			leak.SetNamespace(invariants.Namespace)
			leak.SetName("copied")
			if err := h.Client.Create(t.Context(), leak); err != nil {
				t.Fatal(err)
			}
			if err := h.AwaitQuiescence(t.Context()); err == nil || !strings.Contains(err.Error(), "holds the code of an activation") {
				t.Errorf("the judge says %v, want that the code was found", err)
			}
			if err := h.Client.Delete(t.Context(), leak); err != nil {
				t.Fatal(err)
			}
		})
	}
}
