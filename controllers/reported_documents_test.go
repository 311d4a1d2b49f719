package controllers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// createReported creates an object of testdata/reported as it is written: an empty text reaches the
// API server.
func (w world) createReported(file string) (*unstructured.Unstructured, error) {
	w.T.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "reported", file))
	w.Must(err)
	obj := &unstructured.Unstructured{}
	w.Must(yaml.Unmarshal(text, &obj.Object))
	return obj, w.Client.Create(w.T.Context(), obj)
}

func TestReportedDocumentsReachAWSAsTheyAreDeclared(t *testing.T) {
	w := worldOfDocuments(t)
	w.Manager(t, testenv.ManagerOptions{})
	w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}})))
	for file, want := range map[string]map[string]any{
		"runas-by-tag.yaml":            {"inputs.runAsEnabled": true, "inputs.runAsDefaultUser": "", "inputs.maxSessionDuration": "60", "inputs.shellProfile.linux": "pwd;ls"},
		"runas-by-tag-empty.yaml":      {"inputs.runAsEnabled": true, "inputs.runAsDefaultUser": "", "inputs.idleSessionTimeout": "20"},
		"runas-parameter.yaml":         {"inputs.runAsEnabled": true, "inputs.runAsDefaultUser": "{{ssm:session-user}}"},
		"interactive-with-inputs.yaml": {"sessionType": "InteractiveCommands", "inputs.s3KeyPrefix": "output/interactive_rails-console", "inputs.cloudWatchStreamingEnabled": true, "properties.linux.commands": "sudo -iu app console {{ env }}", "parameters.env.default": "dev"},
		"max-chars.yaml":               {"parameters.Test.maxChars": 32.0, "properties.windows.runAsElevated": nil},
		"argo-list-default.yaml":       {"parameters.host.type": "String", "properties.host": "{{ host }}"},
	} {
		declared, err := w.createReported(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		doc := &v1alpha1.SessionDocument{}
		w.Must(w.Client.Get(t.Context(), client.ObjectKeyFromObject(declared), doc))
		w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
		held := w.DocumentInAWS(doc.DocumentName())
		var content map[string]any
		w.Must(json.Unmarshal([]byte(held.Latest().Content), &content))
		for path, value := range want {
			is, _, _ := unstructured.NestedFieldNoCopy(content, strings.Split(path, ".")...)
			if !reflect.DeepEqual(is, value) {
				t.Errorf("%s: %s is %v in AWS, want %v", file, path, is, value)
			}
		}
	}
}

// Argo CD compares lists as a whole, so the API server must add nothing to an item.
func TestAnItemOfAReportedListStaysAsItWasWritten(t *testing.T) {
	w := worldOfDocuments(t)
	var written map[string]any
	text, err := os.ReadFile("testdata/reported/argo-list-default.yaml")
	w.Must(err)
	w.Must(yaml.Unmarshal(text, &written))
	stored, err := w.createReported("argo-list-default.yaml")
	w.Must(err)
	want, _, _ := unstructured.NestedSlice(written, "spec", "parameters")
	if got, _, _ := unstructured.NestedSlice(stored.Object, "spec", "parameters"); !reflect.DeepEqual(got, want) {
		t.Errorf("the API server stores %v for %v", got, want)
	}
}

func TestATaskOfECSIsRefusedWithASentence(t *testing.T) {
	w := worldOfDocuments(t)
	if _, err := w.createReported("ecs-target.yaml"); err == nil || !strings.Contains(err.Error(), "ECS") {
		t.Errorf("the answer is %v", err)
	}
}

func TestTheKeyOfAReportedDefaultDocumentIsGrantedOrReported(t *testing.T) {
	const key = "3f6c2a10-5b7e-4d1c-9a44-0c8d2e6f7a91"
	w := worldOfDocuments(t, func(a *fixtures.Account) {
		r := a.Regions[scenario.Region]
		r.Keys = append(r.Keys, fixtures.Key{ID: key})
		r.Documents = append(r.Documents, fixtures.Document{
			Name: v1alpha1.DefaultDocument, Content: json.RawMessage(`{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"kmsKeyId":"` + key + `"}}`),
		})
		a.Regions[scenario.Region] = r
	})
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	account := scenario.Account()
	w.Create(account)
	access := readReported[v1alpha1.SessionAccess](w, "default-document-with-key.yaml")
	w.Create(access)
	_, err := testenv.WaitFor(t.Context(), w.Client, access, func(a *v1alpha1.SessionAccess) bool {
		return strings.Contains(scenario.Condition(a.Status.Conditions, v1alpha1.ConditionSessionKeyNotGranted).Message, key)
	})
	w.Must(err)
	scenario.Change(w.World, account, scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}}))
	arn := "arn:aws:kms:" + scenario.Region + ":" + scenario.AccountID + ":key/" + key
	w.Eventually(func() bool { return w.may("user02", "kms:GenerateDataKey", arn) })
}
