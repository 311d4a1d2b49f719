package principal_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestThreeHundredInstancesTakeTheFewestPolicies(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("many", "user01", scenario.PC01)
	grant.Spec.Targets[0].InstanceIDs = append(scenario.ManyIDs(299), scenario.PC01)
	w.Create(scenario.Account(), grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	// An instance takes 70 characters of the 6,144 of a policy: three cannot hold 300.
	if n := len(got.Status.Principals[0].PolicyARNs); n != 4 {
		t.Errorf("300 instances take %d policies, want 4", n)
	}
	w.ExpectAccess(true, false, false, false)

	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02} })
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.ExpectAccess(false, true, false, false)
	if n := len(w.OwnedPolicies()); n != 1 {
		t.Errorf("after the narrowing %d policies are left, want 1", n)
	}
}

func TestWhatCannotFitIsRefusedBeforeAnyCallAndRevocationsGoOn(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	aws := w.Emulator.Account(scenario.AccountID).IAM
	aws.SetQuota("AttachedPoliciesPerUserQuota", 2)
	small, large := scenario.Access("small", "user01", scenario.PC01), scenario.Access("large", "user01", scenario.PC02)
	large.Spec.Targets[0].InstanceIDs = append(scenario.ManyIDs(299), scenario.PC02)
	w.Create(scenario.Account(), small)
	w.AwaitAccess(small, v1alpha1.ReasonGranted)
	before := w.IAMWrites()
	w.Create(large)
	got := w.AwaitAccess(large, v1alpha1.ReasonQuotaExceeded)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "user01", "more than the 2")
	if n := w.IAMWrites() - before; n != 0 {
		t.Errorf("%d writes for a grant that cannot fit", n)
	}
	w.Must(w.Client.Delete(t.Context(), small))
	w.AwaitAccess(small, v1alpha1.ReasonEndingSessions)
	w.ExpectAccess(false, false, false, false)
}

// Two teams grant something to the same user.
func TestAGrantThatDoesNotFitKeepsNoOtherOut(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Must(w.Namespace(t.Context(), scenario.OtherTeam, map[string]string{"team": "a"}))
	w.Emulator.Account(scenario.AccountID).IAM.SetQuota("AttachedPoliciesPerUserQuota", 2)
	large, small, later := scenario.Access("large", "user01", scenario.PC02), scenario.Access("small", "user01", scenario.PC01), scenario.Access("later", "user01", scenario.PC01)
	large.Namespace, large.Spec.Targets[0].InstanceIDs = scenario.OtherTeam, append(scenario.ManyIDs(299), scenario.PC02)
	w.Create(scenario.Account(), large)
	w.AwaitAccess(large, v1alpha1.ReasonQuotaExceeded)
	w.Create(small)
	w.AwaitAccess(small, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, false, false, false)
	later.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartPortForwardingSession"}}
	w.Create(later)
	w.AwaitAccess(later, v1alpha1.ReasonGranted)
	got := w.AwaitAccess(large, v1alpha1.ReasonQuotaExceeded)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "user01", "more than the 2")

	// A grant that grows too large keeps what it had, and keeps no other grant out.
	scenario.Change(w.World, large, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02} })
	w.AwaitAccess(large, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, large)
	w.AwaitAccess(large, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, true, false, false)
	scenario.Change(w.World, large, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = append(scenario.ManyIDs(299), scenario.PC02)
	})
	w.AwaitAccess(large, v1alpha1.ReasonQuotaExceeded)
	w.ExpectAccess(true, true, false, false)
	last := scenario.Access("last", "user01", scenario.PC02)
	last.Spec.Documents = []v1alpha1.DocumentReference{{Name: "AWS-StartSSHSession"}}
	w.Create(last)
	w.AwaitAccess(last, v1alpha1.ReasonGranted)
}

func TestHostileTagsNeitherWidenNorBreakAPolicy(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	value := "日本語 *?${aws:username}\"\\'<>&🔑"
	grant := scenario.Access("tags", "user01", scenario.PC01)
	grant.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Name": value, "環境": "本番"}}}
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(false, false, false, false)
	w.SetNodeTags(scenario.PC01, map[string]string{"Name": value, "環境": "本番"})
	w.ExpectAccess(true, false, false, false)
	w.SetNodeTags(scenario.PC01, map[string]string{"Name": "anything", "環境": "本番"})
	w.ExpectAccess(false, false, false, false)
}

func TestForeignPoliciesCountForTheQuotaAndAreNeverTouched(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	aws := w.Emulator.Account(scenario.AccountID).IAM
	document := []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`)
	w.AddForeignPolicy(fixtures.Policy{Name: "foreign", Document: document})
	w.Must(aws.AddUser(fixtures.User{Name: "full", Grants: fixtures.Grants{Attached: []string{"foreign"}}}))
	aws.SetQuota("AttachedPoliciesPerUserQuota", 1)
	grant := scenario.Access("full", "full", scenario.PC01)
	w.Create(scenario.Account(), grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonQuotaExceeded)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "1 more than the 0")
}
