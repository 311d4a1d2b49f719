package controllers_test

import (
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The account cannot be verified again, so what was verified last is older than
// what is declared.
func TestObserveCountsBeforeTheAccountIsVerifiedWithIt(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	main, grant := account(allowActivations()), access("one", "user01", pc01)
	doc, tier := sessionDocument(), accountTier(v1alpha1.TierAdvanced)
	sites := activation("sites")
	w.create(main, grant, doc, tier, sites)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.activationIs(sites, v1alpha1.ReasonActivated)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "sts:*"})
	w.must(err)
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.accountIs(main, v1alpha1.ReasonAWSUnavailable)

	before := w.LastCall()
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02} })
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Tags = map[string]string{"Env": "prod"} })
	change(w, tier, func(a *v1alpha1.AccountTier) { a.Spec.Tier = v1alpha1.TierStandard })
	change(w, sites, func(a *v1alpha1.HybridActivation) { a.Spec.Tags = map[string]string{"Env": "prod"} })
	w.accessIs(grant, v1alpha1.ReasonObserved)
	w.documentIs(doc, v1alpha1.ReasonObserved)
	w.tierIs(tier, v1alpha1.ReasonObserved)
	w.activationIs(sites, v1alpha1.ReasonObserved)
	for _, call := range w.Emulator.CallLog(before) {
		if call.Write {
			t.Errorf("%s after mode Observe was declared", call.Operation)
		}
	}
}

// The process ended between the write that took the permission away and the status
// that says so.
func TestObserveLetsNothingGoWhoseSessionsAreOpenAfterACrash(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, grant := account(), access("one", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	w.must(m.Stop())
	w.must(w.Client.Delete(t.Context(), grant))
	w.deletePolicies()
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.Manager(t, testenv.ManagerOptions{})
	w.accessIs(grant, v1alpha1.ReasonObserved)
	w.openStill(session)
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.untilEnded(session)
}

// deletePolicies deletes the operator's policies behind its back.
func (w world) deletePolicies() {
	w.t.Helper()
	admin, ctx := awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin"))), w.t.Context()
	for _, p := range w.ourPolicies() {
		attached, err := admin.ListEntitiesForPolicy(ctx, &awsiam.ListEntitiesForPolicyInput{PolicyArn: &p.ARN})
		w.must(err)
		for _, u := range attached.PolicyUsers {
			_, err := admin.DetachUserPolicy(ctx, &awsiam.DetachUserPolicyInput{PolicyArn: &p.ARN, UserName: u.UserName})
			w.must(err)
		}
		_, err = admin.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: &p.ARN})
		w.must(err)
	}
}
