package sessionaccess_test

import (
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The process ended between the write that took the permission away and the status
// that says so.
func TestObserveLetsNothingGoWhoseSessionsAreOpenAfterACrash(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(), scenario.Access("one", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Must(m.Stop())
	w.Must(w.Client.Delete(t.Context(), grant))
	w.deletePolicies()
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.Manager(t, testenv.ManagerOptions{})
	w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	w.ExpectSessionsOpen(session)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.AwaitSessionEnd(session)
}

// deletePolicies deletes the operator's policies behind its back.
func (w world) deletePolicies() {
	w.T.Helper()
	admin, ctx := awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin"))), w.T.Context()
	for _, p := range w.OwnedPolicies() {
		attached, err := admin.ListEntitiesForPolicy(ctx, &awsiam.ListEntitiesForPolicyInput{PolicyArn: &p.ARN})
		w.Must(err)
		for _, u := range attached.PolicyUsers {
			_, err := admin.DetachUserPolicy(ctx, &awsiam.DetachUserPolicyInput{PolicyArn: &p.ARN, UserName: u.UserName})
			w.Must(err)
		}
		_, err = admin.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: &p.ARN})
		w.Must(err)
	}
}
