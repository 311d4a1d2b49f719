package awsaccount_test

import (
	"fmt"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestDriftIsPutBack(t *testing.T) {
	for name, drift := range map[string]func(w world, admin *awsiam.Client, arn *string) error{
		"an edited policy": func(w world, admin *awsiam.Client, arn *string) error {
			document := scenario.AllowAllOfSSM
			_, err := admin.CreatePolicyVersion(w.T.Context(), &awsiam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &document, SetAsDefault: true})
			return err
		},
		"a detached policy": func(w world, admin *awsiam.Client, arn *string) error {
			name := "user01"
			_, err := admin.DetachUserPolicy(w.T.Context(), &awsiam.DetachUserPolicyInput{PolicyArn: arn, UserName: &name})
			return err
		},
		"a policy attached to a stranger": func(w world, admin *awsiam.Client, arn *string) error {
			name := "user02"
			_, err := admin.AttachUserPolicy(w.T.Context(), &awsiam.AttachUserPolicyInput{PolicyArn: arn, UserName: &name})
			return err
		},
		"a deleted policy": func(w world, admin *awsiam.Client, arn *string) error {
			name := "user01"
			if _, err := admin.DetachUserPolicy(w.T.Context(), &awsiam.DetachUserPolicyInput{PolicyArn: arn, UserName: &name}); err != nil {
				return err
			}
			_, err := admin.DeletePolicy(w.T.Context(), &awsiam.DeletePolicyInput{PolicyArn: arn})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
			w.Create(scenario.Account(), grant)
			w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			// A change counts as foreign once the operator's own write is past the window.
			w.Advance(scenario.Window)
			arn := w.OwnedPolicies()[0].ARN
			w.Must(drift(w, awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin"))), &arn))
			w.Eventually(func() bool {
				return w.MayOpen("user01", scenario.PC01) && !w.MayOpen("user01", scenario.PC02) && !w.MayOpen("user02", scenario.PC01) && !w.MayOpen("user02", scenario.PC02)
			})
		})
	}
}

func TestPoliciesThatNobodyDeclaresAreRemoved(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Advance(accounts.RestoreWindow) // The AWSAccount is no restored one.
	orphans(w, 3)
	w.Create(scenario.Account())
	w.Eventually(func() bool { return len(w.OwnedPolicies()) == 0 })
}

func TestARefusedObjectKeepsNoOldPolicyAlive(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.AddForeignPolicy(fixtures.Policy{
		Name:     policy.Name(testenv.DefaultOwner, policy.Principal{Kind: policy.User, Name: "user01"}, 1),
		Path:     policy.Path(testenv.DefaultOwner),
		Document: []byte(scenario.AllowAllOfSSM),
	})
	w.Advance(accounts.RestoreWindow) // The AWSAccount is no restored one.
	w.Must(w.Namespace(t.Context(), scenario.Team, map[string]string{"team": "b"}))
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(grant, scenario.Account())
	w.AwaitAccess(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.Eventually(func() bool { return len(w.OwnedPolicies()) == 0 })
}

func TestAnEmptyClusterDoesNotLockACompanyOut(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	orphans(w, 50)
	main := scenario.Account()
	w.Create(main)
	got, err := testenv.WaitFor(t.Context(), w.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionOrphanCleanupBlocked).Status == "True"
	})
	w.Must(err)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionOrphanCleanupBlocked).Message, "50", v1alpha1.AnnotationConfirmRemoval)
	if n := len(w.OwnedPolicies()); n != 50 {
		t.Fatalf("%d of 50 policies are left", n)
	}
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Annotations = map[string]string{v1alpha1.AnnotationConfirmRemoval: "50"}
	})
	w.Eventually(func() bool { return len(w.OwnedPolicies()) == 0 })
}

func TestTwoInstallationsDoNotDisturbOneAnother(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	aws := w.Emulator.Account(scenario.AccountID).IAM
	w.AddForeignPolicy(fixtures.Policy{Name: "ssma-ffffffff-u-user01-22f458698e4d-1", Path: "/ssm-access/ffffffff/", Document: []byte(scenario.AllowAllOfSSM)})
	w.Must(aws.AddUser(fixtures.User{Name: "shared", Grants: fixtures.Grants{Attached: []string{"ssma-ffffffff-u-user01-22f458698e4d-1"}}}))
	grant := scenario.Access("shared", "shared", scenario.PC01)
	w.Create(scenario.Account(), grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionGrantedElsewhere).Message, "ffffffff", "--owner-id")
	if _, ok := aws.Latest().Policy("arn:aws:iam::" + scenario.AccountID + ":policy/ssm-access/ffffffff/ssma-ffffffff-u-user01-22f458698e4d-1"); !ok {
		t.Error("the policy of another installation is gone")
	}
}

// orphans adds policies under the operator's path that no object declares.
func orphans(w world, n int) {
	for i := range n {
		w.AddForeignPolicy(fixtures.Policy{
			Name:     fmt.Sprintf("ssma-%s-u-gone%d-%012x-1", testenv.DefaultOwner, i, i),
			Path:     "/ssm-access/" + testenv.DefaultOwner + "/",
			Document: []byte(scenario.AllowAllOfSSM),
		})
	}
}
