package sessionaccess_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestADocumentByReferenceIsGrantedWhileItIsThere(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "logged"}}}
	w.Create(scenario.Account(), grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonReferenceNotResolved)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `SessionDocument "logged" does not exist`)

	document := scenario.SessionDocument()
	w.Create(document)
	got = w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if d := got.Status.Applied.Granted.Documents; len(d) != 1 || d[0].Name != scenario.LoggedDocument {
		t.Errorf("granted are the documents %+v", d)
	}
	if !w.MayOpenWith("user01", scenario.PC01, scenario.LoggedDocument) || w.MayOpen("user01", scenario.PC01) {
		t.Error("the user may not use the very document that is granted, or another")
	}
	session, err := w.Emulator.OpenSession(scenario.UserARN("user01"), scenario.Region, scenario.PC01, scenario.LoggedDocument)
	w.Must(err)

	w.Must(w.Client.Delete(t.Context(), document))
	w.AwaitSessionEnd(session)
	if w.MayOpenWith("user01", scenario.PC01, scenario.LoggedDocument) {
		t.Error("the document is gone, and what was granted on it is not")
	}
	got = w.AwaitAccess(grant, v1alpha1.ReasonReferenceNotResolved)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `SessionDocument "logged"`)
}

func TestAnotherNamespacesDocumentCannotBeMeant(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.Must(w.Namespace(t.Context(), "team-b", map[string]string{"team": "a"}))
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Namespace = "team-b"
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "logged"}}}
	document := scenario.SessionDocument()
	w.Create(scenario.Account(), document, grant)
	w.AwaitDocument(document, v1alpha1.ReasonInPlace)
	w.AwaitAccess(grant, v1alpha1.ReasonReferenceNotResolved)
	if w.MayOpenWith("user01", scenario.PC01, scenario.LoggedDocument) {
		t.Error("a document of another namespace is granted")
	}
}

func TestTheOperatorsOwnTagsCannotBeTargeted(t *testing.T) {
	w := worldWithoutManager(t)
	grant := scenario.Access("user01-site", "user01")
	grant.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"SSM-Access.dev/activation": "0a1b"}}}
	err := w.Client.Create(t.Context(), grant)
	if err == nil {
		t.Fatal("the nodes of another owner's activation can be meant by its tag")
	}
	w.ExpectSentence(err.Error()+".", "activationRef")
}

func TestTheStandardTierIsToldWithItsMend(t *testing.T) {
	w := tierWorld(t, 1, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-site", "user01", scenario.HybridNode)
	plain := scenario.Access("user02-pc02", "user02", scenario.PC02)
	w.Create(grant, plain)
	notice := w.noticed(grant, v1alpha1.ConditionTierBlocksSessions)
	w.ExpectSentence(notice.Message, scenario.Region, `AWSAccount "main"`, "AccountTier", "Advanced")
	if notice.Reason != v1alpha1.ReasonStandardTier {
		t.Errorf("the reason is %s", notice.Reason)
	}
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if c := scenario.Condition(w.AwaitAccess(plain, v1alpha1.ReasonGranted).Status.Conditions, v1alpha1.ConditionTierBlocksSessions); c.Type != "" {
		t.Errorf("the tier is reported for an EC2 instance: %s", c.Message)
	}

	tier := scenario.AccountTier(v1alpha1.TierStandard)
	w.Create(tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.accessWith(grant, v1alpha1.ConditionTierBlocksSessions, `AccountTier "main"`)
	scenario.Change(w.World, tier, func(t *v1alpha1.AccountTier) { t.Spec.Tier = v1alpha1.TierAdvanced })
	w.accessWithout(grant, v1alpha1.ConditionTierBlocksSessions)

	w.DeleteTier(tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierNeeded)
	scenario.Change(w.World, tier, scenario.KeepTier)
	w.AwaitTierGone(tier)
	w.SSM().SetTier(ssm.TierStandard) // Behind the operator's back.
	w.noticed(grant, v1alpha1.ConditionTierBlocksSessions)
}

// accessWith waits until a condition of a SessionAccess names something.
func (w world) accessWith(obj *v1alpha1.SessionAccess, kind, name string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return strings.Contains(scenario.Condition(a.Status.Conditions, kind).Message, name)
	})
	w.Must(err)
}

// accessWithout waits until a SessionAccess has no such condition.
func (w world) accessWithout(obj *v1alpha1.SessionAccess, kind string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, kind).Type == ""
	})
	w.Must(err)
}

func TestTheTierIsReadOnceInAResyncHoweverManyAsk(t *testing.T) {
	w := tierWorld(t, 1, testenv.ManagerOptions{})
	for _, name := range []string{"a", "b", "c", "d"} {
		grant := scenario.Access(name, "user01", scenario.HybridNode)
		w.Create(grant)
		w.noticed(grant, v1alpha1.ConditionTierBlocksSessions)
	}
	n := 0
	for _, call := range w.Emulator.CallLog(0) {
		if call.Operation == "GetServiceSetting" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the tier was read %d times", n)
	}
}

func TestADocumentThatDoesNotExistIsTold(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Name: scenario.LoggedDocument}, {Name: v1alpha1.DefaultDocument}}
	w.Create(scenario.Account(), grant)
	notice := w.noticed(grant, v1alpha1.ConditionDocumentMissing)
	w.ExpectSentence(notice.Message, scenario.LoggedDocument+" in "+scenario.Region)
	if notice.Reason != v1alpha1.ReasonDocumentNotFound {
		t.Errorf("the reason is %s", notice.Reason)
	}
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Create(scenario.SessionDocument())
	w.accessWithout(grant, v1alpha1.ConditionDocumentMissing)

	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeDocument"})
	w.Must(err)
	got, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionDocumentMissing).Status == metav1.ConditionUnknown
	})
	w.Must(err)
	unknown := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionDocumentMissing)
	w.ExpectSentence(unknown.Message, "ssm:DescribeDocument", scenario.LoggedDocument)
	if unknown.Reason != v1alpha1.ReasonNotChecked {
		t.Errorf("the reason is %s", unknown.Reason)
	}
}
