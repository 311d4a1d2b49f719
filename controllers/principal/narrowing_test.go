package principal_test

import (
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestNothingIsWidenedWhileAStrangerCannotBeDetached(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Advance(scenario.Window)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:DetachUserPolicy"})
	w.Must(err)
	w.Must(w.IAM().Attach(emuiam.User, "user02", w.OwnedPolicies()[0].ARN))
	w.AwaitAccess(grant, v1alpha1.ReasonAccessDenied)
	// One document would narrow, and grow.
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02} })
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
	w.AwaitBulkReads(2)
	w.ExpectAccess(false, false, false, false)
	w.Emulator.RemoveFault(fault)
	w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC02) && !w.MayOpen("user02", scenario.PC02) })
	w.ExpectAccess(false, true, false, false)
}

func TestAStrangerIsDetachedBeforeTheDocumentIsWritten(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(m.Stop())
	w.Must(w.IAM().Attach(emuiam.User, "user02", w.OwnedPolicies()[0].ARN))
	w.Must(w.IAM().SetDocument(w.OwnedPolicies()[0].ARN, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`))
	since := w.LastCall()
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC01) })
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
			one, two := scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user01", scenario.PC02)
			w.Create(scenario.Account(), one, two)
			w.AwaitAccess(one, v1alpha1.ReasonGranted)
			w.AwaitAccess(two, v1alpha1.ReasonGranted)
			w.Must(m.Stop())
			seen := w.LastCall()
			w.Manager(t, testenv.ManagerOptions{})
			w.AwaitCall(seen, "DescribeSessions") // The account is verified.
			w.Advance(scenario.Window)            // A read could prove now what the process before wrote.
			fault, err := w.Emulator.Inject(faults.Fault{Kind: kind, Action: action})
			w.Must(err)
			w.Must(w.Client.Delete(t.Context(), one))
			w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
			w.AwaitAccess(one, v1alpha1.ReasonEndingSessions)
			w.Emulator.RemoveFault(fault)
			w.Advance(scenario.Window, one)
			w.Must(testenv.WaitGone(t.Context(), w.Client, one))
			w.ExpectAccess(false, true, false, false)
		})
	}
}
