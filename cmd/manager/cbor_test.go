package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// An environment may set client-go's gates for every process of a cluster. With them
// client-go prefers CBOR, which controller-runtime 0.25 cannot write.
func TestCustomResourcesAreWrittenAsJSONWhateverClientGoPrefers(t *testing.T) {
	featurestesting.SetFeatureDuringTest(t, features.ClientsAllowCBOR, true)
	featurestesting.SetFeatureDuringTest(t, features.ClientsPreferCBOR, true)
	var written []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			discovery(t, w, r.URL.Path)
			return
		}
		written = append(written, r.Method+" "+r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusCreated)
		if _, err := io.Copy(w, r.Body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	useCluster(t, server.URL)

	config, err := clusterConfig()
	if err != nil {
		t.Fatal(err)
	}
	mgr, err := newManager(config, options{metricsAddress: "0", probeAddress: "0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tier := &v1alpha1.AccountTier{ObjectMeta: metav1.ObjectMeta{Name: "main"}}
	if err := mgr.GetClient().Create(t.Context(), tier); err != nil {
		t.Fatal(err)
	}
	if err := mgr.GetClient().Update(t.Context(), tier); err != nil {
		t.Fatal(err)
	}
	if len(written) != 2 || written[0] != "POST application/json" || written[1] != "PUT application/json" {
		t.Errorf("wrote %q", written)
	}
}

// useCluster has the process find an API server.
func useCluster(t *testing.T, url string) {
	t.Helper()
	config := api.NewConfig()
	config.Clusters["c"] = &api.Cluster{Server: url}
	config.Contexts["c"] = &api.Context{Cluster: "c"}
	config.CurrentContext = "c"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
}

// discovery answers what the API server has.
func discovery(t *testing.T, w io.Writer, path string) {
	t.Helper()
	version := metav1.GroupVersionForDiscovery{GroupVersion: v1alpha1.GroupVersion.String(), Version: v1alpha1.GroupVersion.Version}
	answers := map[string]any{
		"/api": metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}},
		"/apis": metav1.APIGroupList{
			TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"},
			Groups: []metav1.APIGroup{{
				Name: v1alpha1.GroupVersion.Group, Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version,
			}},
		},
		"/apis/" + v1alpha1.GroupVersion.String(): metav1.APIResourceList{
			TypeMeta:     metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
			GroupVersion: v1alpha1.GroupVersion.String(),
			APIResources: []metav1.APIResource{{Name: "accounttiers", SingularName: "accounttier", Kind: "AccountTier", Verbs: metav1.Verbs{"create", "update"}}},
		},
	}
	if err := json.NewEncoder(w).Encode(answers[path]); err != nil {
		t.Error(err)
	}
}
