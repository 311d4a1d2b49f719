package awsaccount_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestAVerifiedAccountShowsIdentityAndQuota(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	got := w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	if got.Status.Identity == nil || got.Status.Identity.Partition != "aws" {
		t.Errorf("the identity is %+v", got.Status.Identity)
	}
	if p := got.Status.Policies; p == nil || *p.Quota != 1500 {
		t.Errorf("the policies are %+v", p)
	}
	if c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionSessionsListable); c.Status != "True" {
		t.Errorf("SessionsListable is %+v", c)
	}
}

func TestCredentialsOfAnotherAccountWriteNothingAnywhere(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.AccountID = "111111111111" })
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main, grant)
	got := w.AwaitAccount(main, v1alpha1.ReasonWrongAccount)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "111111111111", scenario.AccountID)
	w.AwaitAccess(grant, v1alpha1.ReasonAccountNotReady)
	if n := w.IAMWrites(); n != 0 {
		t.Errorf("%d writes with the credentials of another account", n)
	}
}

func TestWrongCredentialsAreToldAndWriteNothing(t *testing.T) {
	w := worldWithoutManager(t)
	config := w.AWSConfig(aws.Credentials{AccessKeyID: "AKIANOBODYSKEY000000", SecretAccessKey: "nobody"})
	w.Manager(t, testenv.ManagerOptions{AWS: &config})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	got := w.AwaitAccount(scenario.Account(), v1alpha1.ReasonCredentialsInvalid)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message)
	w.AwaitAccess(grant, v1alpha1.ReasonAccountNotReady)
	if n := w.IAMWrites(); n != 0 {
		t.Errorf("%d writes with wrong credentials", n)
	}
}

func TestARoleIsAssumedWithItsExternalID(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) {
		a.Spec.AssumeRole = &v1alpha1.AssumeRole{RoleARN: "arn:aws:iam::" + scenario.AccountID + ":role/ssm-access-operator", ExternalID: "wrong"}
	})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main, grant)
	lost := w.AwaitAccount(main, v1alpha1.ReasonCredentialsInvalid)
	w.ExpectSentence(scenario.Condition(lost.Status.Conditions, v1alpha1.ConditionReady).Message, ":role/ssm-access-operator")
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.AssumeRole.ExternalID = "abc" })
	w.AwaitAccount(main, v1alpha1.ReasonVerified)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	for _, call := range w.Emulator.CallLog(0) {
		if call.Operation == "AssumeRole" && call.Parameters["RoleSessionName"] != "ssm-access-operator-"+testenv.DefaultOwner {
			t.Errorf("the role session is named %v, which does not tell who we are", call.Parameters["RoleSessionName"])
		}
	}
}

func TestALostRoleHealsByItself(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "*"})
	w.Must(err)
	got := w.AwaitAccount(scenario.Account(), v1alpha1.ReasonCredentialsInvalid)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message)
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonAccountNotReady)
	w.Emulator.RemoveFault(id)
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
}

func TestTheOlderOfTwoAccountsWins(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	older, younger := scenario.Account(), scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name = "zweites" })
	w.Create(older)
	w.AwaitAccount(older, v1alpha1.ReasonVerified)
	w.Create(younger)
	got := w.AwaitAccount(younger, v1alpha1.ReasonConflict)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "main", scenario.AccountID)
	right, wrong := scenario.Access("right", "user01", scenario.PC01), scenario.Access("wrong", "user02", scenario.PC02)
	wrong.Spec.AccountRef.Name = younger.Name
	w.Create(right, wrong)
	w.AwaitAccess(right, v1alpha1.ReasonGranted)
	refused := w.AwaitAccess(wrong, v1alpha1.ReasonConflict)
	w.ExpectSentence(scenario.Condition(refused.Status.Conditions, v1alpha1.ConditionReady).Message, "zweites", "main")
	w.ExpectAccess(true, false, false, false)
	w.Must(w.Client.Delete(t.Context(), wrong))
	w.Must(testenv.WaitGone(t.Context(), w.Client, wrong))
	third := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name = "zz-third" })
	w.Create(third)
	w.AwaitAccount(third, v1alpha1.ReasonConflict)
	w.Must(w.Client.Delete(t.Context(), third))
	w.Must(testenv.WaitGone(t.Context(), w.Client, third))
	w.Must(w.Client.Delete(t.Context(), right))
	w.AwaitAccess(right, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, right)
	w.Must(testenv.WaitGone(t.Context(), w.Client, right))
	w.Must(w.Client.Delete(t.Context(), older))
	w.Must(testenv.WaitGone(t.Context(), w.Client, older))
	w.AwaitAccount(younger, v1alpha1.ReasonVerified)
}

func TestAnAccountInUseStaysAndNamesItsDependents(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(w.Client.Delete(t.Context(), scenario.Account()))
	got := w.AwaitAccount(scenario.Account(), v1alpha1.ReasonInUse)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "team-a/user01-pc01")
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.Must(testenv.WaitGone(t.Context(), w.Client, scenario.Account()))
	w.ExpectAccess(false, false, false, false)
}

// An object that has lost everything keeps its record, and no account.
func TestAnObjectThatLostItsAccessKeepsNoAccount(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(), scenario.Access("user01-pc01", "user01", scenario.PC01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(w.Client.Delete(t.Context(), main))
	w.AwaitAccount(main, v1alpha1.ReasonInUse)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesNone}
	})
	w.Must(testenv.WaitGone(t.Context(), w.Client, main))
	w.ExpectAccess(false, false, false, false)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
}

// A namespace that an account does not allow cannot keep that account from deletion.
func TestObjectsThatNeverHadAnythingKeepNoAccount(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Must(w.Namespace(t.Context(), "stranger", map[string]string{"team": "b"}))
	grant, sites, doc := scenario.Access("g", "user01", scenario.PC01), scenario.Activation("sites"), scenario.SessionDocument()
	for _, obj := range []client.Object{grant, sites, doc} {
		obj.SetNamespace("stranger")
	}
	w.Create(scenario.Account(), grant, sites, doc)
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	w.AwaitAccess(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.AwaitActivation(sites, v1alpha1.ReasonNamespaceNotAllowed)
	w.AwaitDocument(doc, v1alpha1.ReasonNamespaceNotAllowed)
	w.Must(w.Client.Delete(t.Context(), scenario.Account()))
	w.Must(testenv.WaitGone(t.Context(), w.Client, scenario.Account()))
	w.AwaitAccess(grant, v1alpha1.ReasonAccountNotFound)
}

func TestADeletedAccountThatIsOutOfReachNamesItsDependentsToo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "*"})
	w.Must(err)
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonCredentialsInvalid)
	w.Must(w.Client.Delete(t.Context(), scenario.Account()))
	got, err := testenv.WaitFor(t.Context(), w.Client, scenario.Account(), func(a *v1alpha1.AWSAccount) bool {
		return a.Status.ObservedGeneration == a.Generation && a.DeletionTimestamp != nil
	})
	w.Must(err)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "team-a/user01-pc01", "sts:GetCallerIdentity")
}

func TestANamespaceThatIsNotAllowedIsRefusedAndHeals(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Must(w.Namespace(t.Context(), scenario.Team, map[string]string{"team": "b"}))
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "main", scenario.Team, "team=a")
	if n := w.IAMWrites(); n != 0 {
		t.Errorf("%d writes for a namespace that is not allowed", n)
	}
	w.Must(w.Namespace(t.Context(), scenario.Team, map[string]string{"team": "a"}))
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, false, false, false)

	w.Must(w.Namespace(t.Context(), scenario.Team, map[string]string{"team": "b"}))
	w.AwaitAccess(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
}

func TestAMissingAccountIsNamed(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonAccountNotFound)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `"main"`)
	w.Create(scenario.Account())
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
}

func TestAnAccountNearItsPolicyQuotaSaysSo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	aws := w.Emulator.Account(scenario.AccountID).IAM
	for n := range 3 {
		w.AddForeignPolicy(fixtures.Policy{Name: fmt.Sprint("foreign-", n), Document: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`)})
	}
	// One is left beside those of others, the operator's own among them.
	used := int32(0)
	for p := range aws.Latest().Policies() {
		if strings.Contains(p.ARN, scenario.AccountID) {
			used++
		}
	}
	aws.SetQuota("PoliciesQuota", used+1)
	w.Create(scenario.Account())
	got, err := testenv.WaitFor(t.Context(), w.Client, scenario.Account(), func(a *v1alpha1.AWSAccount) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionPolicyQuotaNearlyExhausted).Status == "True"
	})
	w.Must(err)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionPolicyQuotaNearlyExhausted).Message, "80 %")

	one, two := scenario.Access("user01", "user01", scenario.PC01), scenario.Access("user02", "user02", scenario.PC02)
	w.Create(one)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.Create(two)
	refused := w.AwaitAccess(two, v1alpha1.ReasonQuotaExceeded)
	w.ExpectSentence(scenario.Condition(refused.Status.Conditions, v1alpha1.ConditionReady).Message, "1 more than the 0")
	w.Must(w.Client.Delete(t.Context(), one))
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
	w.AwaitAccess(two, v1alpha1.ReasonGranted)
}
