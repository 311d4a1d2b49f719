package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestAVerifiedAccountShowsIdentityAndQuota(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.create(account())
	got := w.accountIs(account(), v1alpha1.ReasonVerified)
	if got.Status.Identity == nil || got.Status.Identity.Partition != "aws" {
		t.Errorf("the identity is %+v", got.Status.Identity)
	}
	if p := got.Status.Policies; p == nil || *p.Quota != 1500 {
		t.Errorf("the policies are %+v", p)
	}
	if c := condition(got.Status.Conditions, v1alpha1.ConditionSessionListing); c.Status != "True" {
		t.Errorf("SessionListing is %+v", c)
	}
}

func TestCredentialsOfAnotherAccountWriteNothingAnywhere(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.AccountID = "111111111111" })
	grant := access("user01-pc01", "user01", pc01)
	w.create(main, grant)
	got := w.accountIs(main, v1alpha1.ReasonWrongAccount)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "111111111111", accountID)
	w.accessIs(grant, v1alpha1.ReasonAccountNotReady)
	if n := w.writes(); n != 0 {
		t.Errorf("%d writes with the credentials of another account", n)
	}
}

func TestWrongCredentialsAreToldAndWriteNothing(t *testing.T) {
	w := worldWithoutManager(t)
	config := w.AWSConfig(aws.Credentials{AccessKeyID: "AKIANOBODYSKEY000000", SecretAccessKey: "nobody"})
	w.Manager(t, testenv.ManagerOptions{AWS: &config})
	grant := access("user01-pc01", "user01", pc01)
	w.create(account(), grant)
	got := w.accountIs(account(), v1alpha1.ReasonCredentialsInvalid)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message)
	w.accessIs(grant, v1alpha1.ReasonAccountNotReady)
	if n := w.writes(); n != 0 {
		t.Errorf("%d writes with wrong credentials", n)
	}
}

func TestARoleIsAssumedWithItsExternalID(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	main := account(func(a *v1alpha1.AWSAccount) {
		a.Spec.AssumeRole = &v1alpha1.AssumeRole{RoleARN: "arn:aws:iam::" + accountID + ":role/ssm-access-operator", ExternalID: "wrong"}
	})
	grant := access("user01-pc01", "user01", pc01)
	w.create(main, grant)
	lost := w.accountIs(main, v1alpha1.ReasonCredentialsInvalid)
	w.sentence(condition(lost.Status.Conditions, v1alpha1.ConditionReady).Message, ":role/ssm-access-operator")
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.AssumeRole.ExternalID = "abc" })
	w.accountIs(main, v1alpha1.ReasonVerified)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	for _, call := range w.Emulator.CallLog(0) {
		if call.Operation == "AssumeRole" && call.Parameters["RoleSessionName"] != "ssm-access-operator-"+testenv.DefaultOwner {
			t.Errorf("the role session is named %v, which does not tell who we are", call.Parameters["RoleSessionName"])
		}
	}
}

func TestALostRoleHealsByItself(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "*"})
	w.must(err)
	got := w.accountIs(account(), v1alpha1.ReasonCredentialsInvalid)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message)
	grant := access("user01-pc01", "user01", pc01)
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonAccountNotReady)
	w.Emulator.RemoveFault(id)
	w.accountIs(account(), v1alpha1.ReasonVerified)
	w.accessIs(grant, v1alpha1.ReasonGranted)
}

func TestTheOlderOfTwoAccountsWins(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	older, younger := account(), account(func(a *v1alpha1.AWSAccount) { a.Name = "zweites" })
	w.create(older)
	w.accountIs(older, v1alpha1.ReasonVerified)
	w.create(younger)
	got := w.accountIs(younger, v1alpha1.ReasonConflict)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "main", accountID)
	right, wrong := access("right", "user01", pc01), access("wrong", "user02", pc02)
	wrong.Spec.AccountRef.Name = younger.Name
	w.create(right, wrong)
	w.accessIs(right, v1alpha1.ReasonGranted)
	refused := w.accessIs(wrong, v1alpha1.ReasonConflict)
	w.sentence(condition(refused.Status.Conditions, v1alpha1.ConditionReady).Message, "zweites", "main")
	w.grid(true, false, false, false)
	w.must(w.Client.Delete(t.Context(), wrong))
	w.must(testenv.WaitGone(t.Context(), w.Client, wrong))
	third := account(func(a *v1alpha1.AWSAccount) { a.Name = "zz-third" })
	w.create(third)
	w.accountIs(third, v1alpha1.ReasonConflict)
	w.must(w.Client.Delete(t.Context(), third))
	w.must(testenv.WaitGone(t.Context(), w.Client, third))
	w.must(w.Client.Delete(t.Context(), right))
	w.accessIs(right, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, right)
	w.must(testenv.WaitGone(t.Context(), w.Client, right))
	w.must(w.Client.Delete(t.Context(), older))
	w.must(testenv.WaitGone(t.Context(), w.Client, older))
	w.accountIs(younger, v1alpha1.ReasonVerified)
}

func TestAnAccountInUseStaysAndNamesItsDependents(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-pc01", "user01", pc01)
	grant.Spec.OnRevoke = v1alpha1.RevokeLeaveSessions
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(w.Client.Delete(t.Context(), account()))
	got := w.accountIs(account(), v1alpha1.ReasonInUse)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "team-a/user01-pc01")
	w.must(w.Client.Delete(t.Context(), grant))
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.must(testenv.WaitGone(t.Context(), w.Client, account()))
	w.grid(false, false, false, false)
}

// A namespace that an account does not allow cannot keep that account from deletion.
func TestObjectsThatNeverHadAnythingKeepNoAccount(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.must(w.Namespace(t.Context(), "stranger", map[string]string{"team": "b"}))
	grant, sites, doc := access("g", "user01", pc01), activation("sites"), sessionDocument()
	for _, obj := range []client.Object{grant, sites, doc} {
		obj.SetNamespace("stranger")
	}
	w.create(account(), grant, sites, doc)
	w.accountIs(account(), v1alpha1.ReasonVerified)
	w.accessIs(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.activationIs(sites, v1alpha1.ReasonNamespaceNotAllowed)
	w.documentIs(doc, v1alpha1.ReasonNamespaceNotAllowed)
	w.must(w.Client.Delete(t.Context(), account()))
	w.must(testenv.WaitGone(t.Context(), w.Client, account()))
	w.accessIs(grant, v1alpha1.ReasonAccountNotFound)
}

func TestADeletedAccountThatIsOutOfReachNamesItsDependentsToo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("user01-pc01", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "*"})
	w.must(err)
	w.accountIs(account(), v1alpha1.ReasonCredentialsInvalid)
	w.must(w.Client.Delete(t.Context(), account()))
	got, err := testenv.WaitFor(t.Context(), w.Client, account(), func(a *v1alpha1.AWSAccount) bool {
		return a.Status.ObservedGeneration == a.Generation && a.DeletionTimestamp != nil
	})
	w.must(err)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "team-a/user01-pc01", "sts:GetCallerIdentity")
}

func TestANamespaceThatIsNotAllowedIsRefusedAndHeals(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.must(w.Namespace(t.Context(), team, map[string]string{"team": "b"}))
	grant := access("user01-pc01", "user01", pc01)
	w.create(account(), grant)
	got := w.accessIs(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "main", team, "team=a")
	if n := w.writes(); n != 0 {
		t.Errorf("%d writes for a namespace that is not allowed", n)
	}
	w.must(w.Namespace(t.Context(), team, map[string]string{"team": "a"}))
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(true, false, false, false)

	w.must(w.Namespace(t.Context(), team, map[string]string{"team": "b"}))
	w.accessIs(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.until(func() bool { return !w.may("user01", pc01) })
}

func TestAMissingAccountIsNamed(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("user01-pc01", "user01", pc01)
	w.create(grant)
	got := w.accessIs(grant, v1alpha1.ReasonAccountNotFound)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `"main"`)
	w.create(account())
	w.accessIs(grant, v1alpha1.ReasonGranted)
}

func TestAnAccountNearItsPolicyQuotaSaysSo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	aws := w.Emulator.Account(accountID).IAM
	for n := range 3 {
		w.addPolicy(fixtures.Policy{Name: fmt.Sprint("foreign-", n), Document: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`)})
	}
	// One is left beside those of others, the operator's own among them.
	used := int32(0)
	for p := range aws.Latest().Policies() {
		if strings.Contains(p.ARN, accountID) {
			used++
		}
	}
	aws.SetQuota("PoliciesQuota", used+1)
	w.create(account())
	got, err := testenv.WaitFor(t.Context(), w.Client, account(), func(a *v1alpha1.AWSAccount) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionPolicyQuota).Status == "True"
	})
	w.must(err)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionPolicyQuota).Message, "80 %")

	one, two := access("user01", "user01", pc01), access("user02", "user02", pc02)
	w.create(one)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.create(two)
	refused := w.accessIs(two, v1alpha1.ReasonQuotaExceeded)
	w.sentence(condition(refused.Status.Conditions, v1alpha1.ConditionReady).Message, "1 more than the 0")
	w.must(w.Client.Delete(t.Context(), one))
	w.until(func() bool { return !w.may("user01", pc01) })
	w.accessIs(two, v1alpha1.ReasonGranted)
}
