package controllers_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// mayWith asks whether a user could open a session with a document.
func (w world) mayWith(user, node, document string) bool {
	w.t.Helper()
	answer, err := w.Emulator.May(awsemulator.Question{
		Principal: "arn:aws:iam::" + accountID + ":user/" + user, Region: region, Target: node, Document: document,
	})
	w.must(err)
	return answer.Allowed
}

func TestADocumentByReferenceIsGrantedWhileItIsThere(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	grant := access("user01-pc01", "user01", pc01)
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "logged"}}}
	w.create(account(), grant)
	got := w.accessIs(grant, v1alpha1.ReasonReferenceNotResolved)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `SessionDocument "logged" does not exist`)

	document := sessionDocument()
	w.create(document)
	got = w.accessIs(grant, v1alpha1.ReasonGranted)
	if d := got.Status.Applied.Granted.Documents; len(d) != 1 || d[0].Name != logged {
		t.Errorf("granted are the documents %+v", d)
	}
	if !w.mayWith("user01", pc01, logged) || w.may("user01", pc01) {
		t.Error("the user may not use the very document that is granted, or another")
	}
	session, err := w.Emulator.OpenSession(user("user01"), region, pc01, logged)
	w.must(err)

	w.must(w.Client.Delete(t.Context(), document))
	w.untilEnded(session)
	if w.mayWith("user01", pc01, logged) {
		t.Error("the document is gone, and what was granted on it is not")
	}
	got = w.accessIs(grant, v1alpha1.ReasonReferenceNotResolved)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `SessionDocument "logged"`)
}

func TestAnotherNamespacesDocumentCannotBeMeant(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.must(w.Namespace(t.Context(), "team-b", map[string]string{"team": "a"}))
	grant := access("user01-pc01", "user01", pc01)
	grant.Namespace = "team-b"
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "logged"}}}
	document := sessionDocument()
	w.create(account(), document, grant)
	w.documentIs(document, v1alpha1.ReasonInPlace)
	w.accessIs(grant, v1alpha1.ReasonReferenceNotResolved)
	if w.mayWith("user01", pc01, logged) {
		t.Error("a document of another namespace is granted")
	}
}

func TestTheOperatorsOwnTagsCannotBeTargeted(t *testing.T) {
	w := worldWithoutManager(t)
	grant := access("user01-site", "user01")
	grant.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"SSM-Access.dev/activation": "0a1b"}}}
	err := w.Client.Create(t.Context(), grant)
	if err == nil {
		t.Fatal("the nodes of somebody's activation can be meant by its tag")
	}
	w.sentence(err.Error()+".", "activationRef")
}

func TestTheStandardTierIsToldWithItsMend(t *testing.T) {
	w := tierWorld(t, 1, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-site", "user01", hybridNode)
	plain := access("user02-pc02", "user02", pc02)
	w.create(grant, plain)
	notice := w.noticed(grant, v1alpha1.ConditionTierBlocksSessions)
	w.sentence(notice.Message, region, `AWSAccount "main"`, "AccountTier", "Advanced")
	if notice.Reason != v1alpha1.ReasonStandardTier {
		t.Errorf("the reason is %s", notice.Reason)
	}
	w.accessIs(grant, v1alpha1.ReasonGranted)
	if c := condition(w.accessIs(plain, v1alpha1.ReasonGranted).Status.Conditions, v1alpha1.ConditionTierBlocksSessions); c.Type != "" {
		t.Errorf("an EC2 instance is told of the tier: %s", c.Message)
	}

	tier := accountTier(v1alpha1.TierStandard)
	w.create(tier)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.accessWith(grant, v1alpha1.ConditionTierBlocksSessions, `AccountTier "main"`)
	change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Tier = v1alpha1.TierAdvanced })
	w.accessWithout(grant, v1alpha1.ConditionTierBlocksSessions)

	w.deleteTier(tier)
	w.tierIs(tier, v1alpha1.ReasonTierNeeded)
	change(w, tier, keepTier)
	w.tierGone(tier)
	w.regional().SetTier(ssm.TierStandard) // Behind the operator's back.
	w.noticed(grant, v1alpha1.ConditionTierBlocksSessions)
}

// accessWith waits until a condition of a SessionAccess names something.
func (w world) accessWith(obj *v1alpha1.SessionAccess, kind, name string) {
	w.t.Helper()
	_, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return strings.Contains(condition(a.Status.Conditions, kind).Message, name)
	})
	w.must(err)
}

// accessWithout waits until a SessionAccess has no such condition.
func (w world) accessWithout(obj *v1alpha1.SessionAccess, kind string) {
	w.t.Helper()
	_, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return condition(a.Status.Conditions, kind).Type == ""
	})
	w.must(err)
}

func TestTheTierIsReadOnceInAResyncHoweverManyAsk(t *testing.T) {
	w := tierWorld(t, 1, testenv.ManagerOptions{})
	for _, name := range []string{"a", "b", "c", "d"} {
		grant := access(name, "user01", hybridNode)
		w.create(grant)
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
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-pc01", "user01", pc01)
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Name: logged}, {Name: v1alpha1.DefaultDocument}}
	w.create(account(), grant)
	notice := w.noticed(grant, v1alpha1.ConditionDocumentMissing)
	w.sentence(notice.Message, logged+" in "+region)
	if notice.Reason != v1alpha1.ReasonDocumentNotFound {
		t.Errorf("the reason is %s", notice.Reason)
	}
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.create(sessionDocument())
	w.accessWithout(grant, v1alpha1.ConditionDocumentMissing)

	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeDocument"})
	w.must(err)
	got, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionDocumentMissing).Status == metav1.ConditionUnknown
	})
	w.must(err)
	unknown := condition(got.Status.Conditions, v1alpha1.ConditionDocumentMissing)
	w.sentence(unknown.Message, "ssm:DescribeDocument", logged)
	if unknown.Reason != v1alpha1.ReasonNotChecked {
		t.Errorf("the reason is %s", unknown.Reason)
	}
}
