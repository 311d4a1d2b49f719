package controllers_test

import (
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestNothingIsWidenedWhileAStrangerCannotBeDetached(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("g", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.advance(testWindow)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:DetachUserPolicy"})
	w.must(err)
	w.must(w.iam().Attach(emuiam.User, "user02", w.ourPolicies()[0].ARN))
	w.accessIs(grant, v1alpha1.ReasonAccessDenied)
	// One document would narrow, and grow.
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02} })
	w.until(func() bool { return !w.may("user01", pc01) })
	w.bulkReads(2)
	w.grid(false, false, false, false)
	w.Emulator.RemoveFault(fault)
	w.until(func() bool { return w.may("user01", pc02) && !w.may("user02", pc02) })
	w.grid(false, true, false, false)
}

func TestAStrangerIsDetachedBeforeTheDocumentIsWritten(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("g", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(m.Stop())
	w.must(w.iam().Attach(emuiam.User, "user02", w.ourPolicies()[0].ARN))
	w.must(w.iam().SetDocument(w.ourPolicies()[0].ARN, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`))
	since := w.LastCall()
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.until(func() bool { return w.may("user01", pc01) })
	var writes []string
	for _, call := range w.Emulator.CallLog(since) {
		if call.Service == "iam" && call.Write && call.Code == "" {
			writes = append(writes, call.Operation)
		}
	}
	if detached, put := slices.Index(writes, "DetachUserPolicy"), slices.Index(writes, "CreatePolicyVersion"); detached < 0 || detached > put {
		t.Errorf("the writes are %v, want the detachment before the document", writes)
	}
}

// Reads prove that a permission is gone. Taking it away waits for none.
func TestARevocationWaitsForNoReadThatFails(t *testing.T) {
	for action, kind := range map[string]faults.Kind{"iam:GetPolicy": faults.AccessDenied, "iam:ListEntitiesForPolicy": faults.ServerError} {
		t.Run(action, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			one, two := access("one", "user01", pc01), access("two", "user01", pc02)
			w.create(account(), one, two)
			w.accessIs(one, v1alpha1.ReasonGranted)
			w.accessIs(two, v1alpha1.ReasonGranted)
			w.must(m.Stop())
			seen := w.LastCall()
			w.Manager(t, testenv.ManagerOptions{})
			w.untilCall(seen, "DescribeSessions") // The account is verified.
			w.advance(testWindow)                 // A read could prove now what the process before wrote.
			fault, err := w.Emulator.Inject(faults.Fault{Kind: kind, Action: action})
			w.must(err)
			w.must(w.Client.Delete(t.Context(), one))
			w.until(func() bool { return !w.may("user01", pc01) })
			w.accessIs(one, v1alpha1.ReasonEndingSessions)
			w.Emulator.RemoveFault(fault)
			w.advance(testWindow, one)
			w.must(testenv.WaitGone(t.Context(), w.Client, one))
			w.grid(false, true, false, false)
		})
	}
}
