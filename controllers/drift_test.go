package controllers_test

import (
	"fmt"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:*","Resource":"*"}]}`

func TestDriftIsPutBack(t *testing.T) {
	for name, drift := range map[string]func(w world, admin *awsiam.Client, arn *string) error{
		"an edited policy": func(w world, admin *awsiam.Client, arn *string) error {
			document := everything
			_, err := admin.CreatePolicyVersion(w.t.Context(), &awsiam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &document, SetAsDefault: true})
			return err
		},
		"a detached policy": func(w world, admin *awsiam.Client, arn *string) error {
			name := "user01"
			_, err := admin.DetachUserPolicy(w.t.Context(), &awsiam.DetachUserPolicyInput{PolicyArn: arn, UserName: &name})
			return err
		},
		"a policy attached to a stranger": func(w world, admin *awsiam.Client, arn *string) error {
			name := "user02"
			_, err := admin.AttachUserPolicy(w.t.Context(), &awsiam.AttachUserPolicyInput{PolicyArn: arn, UserName: &name})
			return err
		},
		"a deleted policy": func(w world, admin *awsiam.Client, arn *string) error {
			name := "user01"
			if _, err := admin.DetachUserPolicy(w.t.Context(), &awsiam.DetachUserPolicyInput{PolicyArn: arn, UserName: &name}); err != nil {
				return err
			}
			_, err := admin.DeletePolicy(w.t.Context(), &awsiam.DeletePolicyInput{PolicyArn: arn})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
			grant := access("user01-pc01", "user01", pc01)
			w.create(account(), grant)
			w.accessIs(grant, v1alpha1.ReasonGranted)
			// A change counts as foreign once the operator's own write is past the window.
			w.advance(testWindow)
			arn := w.ourPolicies()[0].ARN
			w.must(drift(w, awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin"))), &arn))
			w.until(func() bool {
				return w.may("user01", pc01) && !w.may("user01", pc02) && !w.may("user02", pc01) && !w.may("user02", pc02)
			})
		})
	}
}

func TestPoliciesThatNobodyDeclaresAreRemoved(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.advance(accounts.RestoreWindow) // The AWSAccount is no restored one.
	orphans(w, 3)
	w.create(account())
	w.until(func() bool { return len(w.ourPolicies()) == 0 })
}

func TestARefusedObjectKeepsNoOldPolicyAlive(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.addPolicy(fixtures.Policy{
		Name:     policy.Name(testenv.DefaultOwner, policy.Principal{Kind: policy.User, Name: "user01"}, 1),
		Path:     policy.Path(testenv.DefaultOwner),
		Document: []byte(everything),
	})
	w.advance(accounts.RestoreWindow) // The AWSAccount is no restored one.
	w.must(w.Namespace(t.Context(), team, map[string]string{"team": "b"}))
	grant := access("user01-pc01", "user01", pc01)
	w.create(grant, account())
	w.accessIs(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.until(func() bool { return len(w.ourPolicies()) == 0 })
}

func TestAnEmptyClusterDoesNotLockACompanyOut(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	orphans(w, 50)
	main := account()
	w.create(main)
	got, err := testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionRemovalHeld).Status == "True"
	})
	w.must(err)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionRemovalHeld).Message, "50", v1alpha1.AnnotationConfirmRemoval)
	if n := len(w.ourPolicies()); n != 50 {
		t.Fatalf("%d of 50 policies are left", n)
	}
	change(w, main, func(a *v1alpha1.AWSAccount) {
		a.Annotations = map[string]string{v1alpha1.AnnotationConfirmRemoval: "50"}
	})
	w.until(func() bool { return len(w.ourPolicies()) == 0 })
}

func TestTwoInstallationsDoNotDisturbOneAnother(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	aws := w.Emulator.Account(accountID).IAM
	w.addPolicy(fixtures.Policy{Name: "ssma-ffffffff-u-user01-22f458698e4d-1", Path: "/ssm-access/ffffffff/", Document: []byte(everything)})
	w.must(aws.AddUser(fixtures.User{Name: "shared", Grants: fixtures.Grants{Attached: []string{"ssma-ffffffff-u-user01-22f458698e4d-1"}}}))
	grant := access("shared", "shared", pc01)
	w.create(account(), grant)
	got := w.accessIs(grant, v1alpha1.ReasonGranted)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionGrantedElsewhere).Message, "ffffffff", "--owner-id")
	if _, ok := aws.Latest().Policy("arn:aws:iam::" + accountID + ":policy/ssm-access/ffffffff/ssma-ffffffff-u-user01-22f458698e4d-1"); !ok {
		t.Error("the policy of another installation is gone")
	}
}

// orphans adds policies under the operator's path that no object declares.
func orphans(w world, n int) {
	for i := range n {
		w.addPolicy(fixtures.Policy{
			Name:     fmt.Sprintf("ssma-%s-u-gone%d-%012x-1", testenv.DefaultOwner, i, i),
			Path:     "/ssm-access/" + testenv.DefaultOwner + "/",
			Document: []byte(everything),
		})
	}
}
