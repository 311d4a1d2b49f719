package sessiondocument_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }

// world is scenario.World with what the tests of this package alone need.
type world struct{ scenario.World }

func newDocumentsWorld(t *testing.T, o testenv.ManagerOptions, before ...func(*fixtures.Account)) world {
	t.Helper()
	return world{scenario.NewForDocuments(t, o, before...)}
}

func worldOf(t *testing.T, o testenv.Options) world {
	t.Helper()
	return world{scenario.NewWith(t, o)}
}

func worldOfDocuments(t *testing.T, before ...func(*fixtures.Account)) world {
	t.Helper()
	return world{scenario.NewForDocumentsWithoutManager(t, before...)}
}

func worldWithoutManager(t *testing.T) world {
	t.Helper()
	return world{scenario.NewWithoutManager(t)}
}

// judgedDocument waits until Ready of an object says anything that is not on its way.
func (w world) judgedDocument(obj *v1alpha1.SessionDocument) {
	w.T.Helper()
	w.AwaitDocumentThat(obj, func(d *v1alpha1.SessionDocument) bool {
		reason := scenario.ReadyOf(d).Reason
		return reason != "" && reason != v1alpha1.ReasonApplying
	})
}

// elsewhere is a second region.
const elsewhere = "us-east-1"

// content is what the default version of a document says.
func content(t *testing.T, d *ssm.Document) map[string]any {
	t.Helper()
	if d == nil {
		t.Fatal("there is no such document")
	}
	v, _ := d.Version(d.Default)
	var fields map[string]any
	if err := json.Unmarshal([]byte(v.Content), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

// inputsOf are the inputs of the default version.
func inputsOf(t *testing.T, d *ssm.Document) map[string]any {
	t.Helper()
	inputs, _ := content(t, d)["inputs"].(map[string]any)
	return inputs
}

// goneFromAWS checks that AWS holds no document of that name.
func (w world) goneFromAWS(name string) {
	w.T.Helper()
	if d := w.DocumentInAWS(name); d != nil {
		w.T.Errorf("document %s is still there: %+v", name, d)
	}
}

// gone deletes an object and waits until it is gone.
func (w world) deleteAndWait(obj *v1alpha1.SessionDocument) {
	w.T.Helper()
	w.Must(w.Client.Delete(w.T.Context(), obj))
	w.Must(testenv.WaitGone(w.T.Context(), w.Client, obj))
}

// documentCalls counts the operator's calls about documents since a number, by
// operation.
func (w world) documentCalls(since int) map[string]int {
	counts := map[string]int{}
	for _, call := range w.Emulator.CallLog(since) {
		if call.Service == "ssm" && call.Caller == scenario.UserARN("ssm-access-operator") && call.Operation != "DescribeSessions" && call.Operation != "DescribeActivations" {
			counts[call.Operation]++
		}
	}
	return counts
}

// foreign is a document that another client made.
func foreign(name string, versions ...string) func(*fixtures.Account) {
	return func(a *fixtures.Account) {
		d := fixtures.Document{Name: name, Tags: map[string]string{"team": "others"}}
		for _, bucket := range versions {
			d.Versions = append(d.Versions, fixtures.DocumentVersion{Content: json.RawMessage(scenario.ForeignContent(bucket))})
		}
		r := a.Regions[scenario.Region]
		r.Documents = append(r.Documents, d)
		a.Regions[scenario.Region] = r
	}
}
