package effect_test

import (
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }

const (
	denyStart = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ssm:StartSession","Resource":"*"}]}`
	onlyS3    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	// elsewhere denies sessions in all regions but one.
	elsewhere = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ssm:StartSession","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"ap-northeast-1"}}}]}`
	// needsApproval denies sessions without an approved request of just-in-time node access.
	needsApproval = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ssm:StartSession","Resource":"*","Condition":{"Null":{"ssm:AccessRequestId":"true"}}}]}`
	// fromOffice denies them from all other addresses, and needsMFA without a second factor.
	fromOffice = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ssm:StartSession","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}]}`
	needsMFA   = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ssm:StartSession","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}`
)

// w is a world with one access.
type world struct {
	scenario.World
	account *v1alpha1.AWSAccount
	grant   *v1alpha1.SessionAccess
}

func newWorld(t *testing.T, change ...func(*v1alpha1.SessionAccess)) world {
	t.Helper()
	w := world{scenario.New(t, testenv.ManagerOptions{}), scenario.Account(), scenario.Access("grant", "user01", scenario.PC01)}
	for _, c := range change {
		c(w.grant)
	}
	w.Create(w.account, w.grant)
	w.AwaitAccess(w.grant, v1alpha1.ReasonGranted)
	return w
}

// later lets time pass, and waits until the operator has read the account again: the next
// read would not come if time passed during this one. A change of the spec that changes
// nothing else shows in the status when the read is over.
func (w world) later(d time.Duration) {
	w.T.Helper()
	w.Emulator.Advance(d)
	scenario.Change(w.World, w.account, func(a *v1alpha1.AWSAccount) {
		if a.Spec.ForceDeletion == v1alpha1.ForceDeletionForbidden {
			a.Spec.ForceDeletion = v1alpha1.ForceDeletionAllowed
		} else {
			a.Spec.ForceDeletion = v1alpha1.ForceDeletionForbidden
		}
	})
	w.AwaitAccount(w.account, v1alpha1.ReasonVerified)
}

// simulated counts the simulations.
func (w world) simulated() int {
	n := 0
	for _, call := range w.Emulator.CallLog(0) {
		if call.Operation == "SimulatePrincipalPolicy" {
			n++
		}
	}
	return n
}

// awaitSimulation lets time pass until IAM is asked for the first time. The operator asks
// a minute after it noticed that the grant is in place, and no call to AWS shows when it did.
func (w world) awaitSimulation() {
	w.T.Helper()
	for w.simulated() == 0 {
		w.later(scenario.ResyncAfter)
	}
}

// awaitEffective waits until the condition has a reason; "" for none.
func (w world) awaitEffective(reason string) metav1.Condition {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, w.grant, func(a *v1alpha1.SessionAccess) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionEffective).Reason == reason
	})
	w.Must(err)
	if ready := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady); ready.Status != metav1.ConditionTrue {
		w.T.Errorf("Ready is %s for %s, and the policies are in place", ready.Status, ready.Reason)
	}
	return scenario.Condition(got.Status.Conditions, v1alpha1.ConditionEffective)
}

func TestAGrantThatAnotherPolicyMakesVoidSaysSo(t *testing.T) {
	w := newWorld(t)
	before := w.simulated()
	if before != 0 {
		t.Errorf("%d simulations before IAM can have caught up", before)
	}
	w.awaitSimulation()

	for _, c := range []struct {
		reason      string
		set, repair func() error
		names       string
	}{
		{
			v1alpha1.ReasonDeniedByOrganization,
			func() error { return w.IAM().SetServiceControlPolicies([]string{iam.FullAWSAccess, denyStart}) },
			func() error { return w.IAM().SetServiceControlPolicies([]string{iam.FullAWSAccess, elsewhere}) }, "service control policy",
		},
		{
			v1alpha1.ReasonDeniedByBoundary,
			func() error { return w.IAM().SetBoundary(iam.User, "user01", "bound") },
			func() error { return w.IAM().SetBoundary(iam.User, "user01", "") }, "boundary",
		},
		{
			v1alpha1.ReasonDeniedByPolicy,
			func() error { return w.IAM().Attach(iam.User, "user01", "deny") },
			func() error { return w.IAM().Detach(iam.User, "user01", "deny") }, "policy/deny",
		},
		{
			v1alpha1.ReasonDeniedByPolicy,
			func() error { return w.IAM().Attach(iam.User, "user01", "needs-approval") },
			func() error { return w.IAM().Detach(iam.User, "user01", "needs-approval") }, "policy/needs-approval",
		},
	} {
		if c.reason == v1alpha1.ReasonDeniedByBoundary {
			w.AddForeignPolicy(fixtures.Policy{Name: "bound", Document: []byte(onlyS3)})
			w.AddForeignPolicy(fixtures.Policy{Name: "deny", Document: []byte(denyStart)})
			w.AddForeignPolicy(fixtures.Policy{Name: "needs-approval", Document: []byte(needsApproval)})
		}
		w.Must(c.set())
		w.later(time.Hour + scenario.ResyncAfter)
		found := w.awaitEffective(c.reason)
		if found.Status != metav1.ConditionFalse {
			t.Errorf("%s: the status is %s", c.reason, found.Status)
		}
		w.ExpectSentence(found.Message, c.names, "user01", "ap-northeast-1")
		w.Must(c.repair())
		w.later(time.Hour + scenario.ResyncAfter)
		w.awaitEffective("")
	}
}

// The context of the simulation satisfies the conditions of the grant, and with them those
// of policies that ask for the same.
func TestASimulationMeetsTheConditionsOfItsGrant(t *testing.T) {
	w := newWorld(t, func(a *v1alpha1.SessionAccess) {
		a.Spec.RequireMFA = true
		a.Spec.SourceCIDRs = []v1alpha1.CIDR{"203.0.113.64/26"}
		a.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	})
	w.Must(w.IAM().SetServiceControlPolicies([]string{iam.FullAWSAccess, elsewhere, fromOffice, needsMFA}))
	w.awaitSimulation()
	w.Must(w.IAM().SetServiceControlPolicies([]string{iam.FullAWSAccess, denyStart}))
	w.later(time.Hour + scenario.ResyncAfter)
	w.awaitEffective(v1alpha1.ReasonDeniedByOrganization) // The first one found nothing, or this would be no news.
	events := w.simulated()
	w.later(scenario.ResyncAfter)
	if got := w.simulated(); got != events {
		t.Errorf("%d more simulations within the hour", got-events)
	}
}

// Without the permission nothing is said, and the operator asks once an hour.
func TestWithoutThePermissionNothingIsSimulated(t *testing.T) {
	s := scenario.NewWith(t, testenv.Options{Withheld: []string{"iam:SimulatePrincipalPolicy"}})
	s.Manager(t, testenv.ManagerOptions{})
	w := world{s, scenario.Account(), scenario.Access("grant", "user01", scenario.PC01)}
	other := scenario.Access("other", "user02", scenario.PC01)
	w.Create(w.account, w.grant, other)
	w.AwaitAccess(w.grant, v1alpha1.ReasonGranted)
	w.AwaitAccess(other, v1alpha1.ReasonGranted)
	w.Must(w.IAM().SetServiceControlPolicies([]string{iam.FullAWSAccess, denyStart}))
	w.awaitSimulation()
	for range 2 { // What the first read wakes is done by the second.
		w.later(scenario.ResyncAfter)
	}
	if got := w.simulated(); got != 1 {
		t.Errorf("%d simulations, want the one that was refused", got)
	}
	w.awaitEffective("")
}
