package controllers_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestThreeHundredInstancesTakeTheFewestPolicies(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("many", "user01", pc01)
	grant.Spec.Targets[0].InstanceIDs = append(manyIDs(299), pc01)
	w.create(account(), grant)
	got := w.accessIs(grant, v1alpha1.ReasonGranted)
	// An instance takes 70 characters of the 6,144 of a policy: three cannot hold 300.
	if n := len(got.Status.Principals[0].PolicyARNs); n != 4 {
		t.Errorf("300 instances take %d policies, want 4", n)
	}
	w.grid(true, false, false, false)

	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02} })
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.grid(false, true, false, false)
	if n := len(w.ourPolicies()); n != 1 {
		t.Errorf("after the narrowing %d policies are left, want 1", n)
	}
}

func TestWhatCannotFitIsRefusedBeforeAnyCallAndRevocationsGoOn(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(accountID).IAM
	aws.SetQuota("AttachedPoliciesPerUserQuota", 2)
	small, large := access("small", "user01", pc01), access("large", "user01", pc02)
	large.Spec.Targets[0].InstanceIDs = append(manyIDs(299), pc02)
	w.create(account(), small)
	w.accessIs(small, v1alpha1.ReasonGranted)
	before := w.writes()
	w.create(large)
	got := w.accessIs(large, v1alpha1.ReasonQuotaExceeded)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "user01", "more than the 2")
	if n := w.writes() - before; n != 0 {
		t.Errorf("%d writes for a grant that cannot fit", n)
	}
	w.must(w.Client.Delete(t.Context(), small))
	w.accessIs(small, v1alpha1.ReasonEndingSessions)
	w.grid(false, false, false, false)
}

// Two teams grant something to the same user.
func TestAGrantThatDoesNotFitKeepsNoOtherOut(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.must(w.Namespace(t.Context(), crowdTeam, map[string]string{"team": "a"}))
	w.Emulator.Account(accountID).IAM.SetQuota("AttachedPoliciesPerUserQuota", 2)
	large, small, later := access("large", "user01", pc02), access("small", "user01", pc01), access("later", "user01", pc01)
	large.Namespace, large.Spec.Targets[0].InstanceIDs = crowdTeam, append(manyIDs(299), pc02)
	w.create(account(), large)
	w.accessIs(large, v1alpha1.ReasonQuotaExceeded)
	w.create(small)
	w.accessIs(small, v1alpha1.ReasonGranted)
	w.grid(true, false, false, false)
	later.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	w.create(later)
	w.accessIs(later, v1alpha1.ReasonGranted)
	got := w.accessIs(large, v1alpha1.ReasonQuotaExceeded)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "user01", "more than the 2")

	// A grant that grows too large keeps what it had, and keeps no other grant out.
	change(w, large, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02} })
	w.accessIs(large, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, large)
	w.accessIs(large, v1alpha1.ReasonGranted)
	w.grid(true, true, false, false)
	change(w, large, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = append(manyIDs(299), pc02)
	})
	w.accessIs(large, v1alpha1.ReasonQuotaExceeded)
	w.grid(true, true, false, false)
	last := access("last", "user01", pc02)
	last.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartSSHSession"}}
	w.create(last)
	w.accessIs(last, v1alpha1.ReasonGranted)
}

func TestHostileTagsNeitherWidenNorBreakAPolicy(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	value := "日本語 *?${aws:username}\"\\'<>&🔑"
	grant := access("tags", "user01", pc01)
	grant.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Name": value, "環境": "本番"}}}
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(false, false, false, false)
	w.tagNode(pc01, map[string]string{"Name": value, "環境": "本番"})
	w.grid(true, false, false, false)
	w.tagNode(pc01, map[string]string{"Name": "anything", "環境": "本番"})
	w.grid(false, false, false, false)
}

func TestForeignPoliciesCountForTheQuotaAndAreNeverTouched(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	aws := w.Emulator.Account(accountID).IAM
	document := []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`)
	w.addPolicy(fixtures.Policy{Name: "foreign", Document: document})
	w.must(aws.AddUser(fixtures.User{Name: "full", Grants: fixtures.Grants{Attached: []string{"foreign"}}}))
	aws.SetQuota("AttachedPoliciesPerUserQuota", 1)
	grant := access("full", "full", pc01)
	w.create(account(), grant)
	got := w.accessIs(grant, v1alpha1.ReasonQuotaExceeded)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "1 more than the 0")
}
