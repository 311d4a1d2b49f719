package metrics_test

import (
	"context"
	"testing"
	"time"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// scrape is what Prometheus would get from a manager, once that works alone.
func (w world) scrape(m *testenv.Manager) map[string]*dto.MetricFamily {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.T.Context(), testenv.Patience)
	defer cancel()
	select {
	case <-m.Elected():
	case <-ctx.Done():
		w.T.Fatal("the manager does not get to work")
	}
	registry := prometheus.NewPedanticRegistry()
	w.Must(registry.Register(m.Metrics))
	families, err := registry.Gather()
	w.Must(err)
	byName := map[string]*dto.MetricFamily{}
	for _, family := range families {
		byName[family.GetName()] = family
	}
	return byName
}

// sample is the value of one metric: of a counter or gauge, or the number of
// observations. -1 where there is none.
func sample(families map[string]*dto.MetricFamily, name string, labels map[string]string) float64 {
	for _, m := range families[name].GetMetric() {
		matched := 0
		for _, l := range m.GetLabel() {
			if want, ok := labels[l.GetName()]; ok && want == l.GetValue() {
				matched++
			}
		}
		if matched != len(labels) {
			continue
		}
		return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	return -1
}

type labels = map[string]string

type expected struct {
	name   string
	labels labels
	value  float64
}

// samples checks some of a manager's metrics.
func (w world) samples(m *testenv.Manager, want []expected) {
	w.T.Helper()
	got := w.scrape(m)
	for _, e := range want {
		if value := sample(got, e.name, e.labels); value != e.value {
			w.T.Errorf("%s%v is %v, want %v", e.name, e.labels, value, e.value)
		}
	}
}

// known returns once the manager's cache holds what the test has seen of the
// kinds that gauges are read from. Changes of a kind arrive in their order, so a
// manager that has acted on an object made now knows all that was stored of its
// kind before. None of these objects is of the account that the tests are about.
func (w world) known() {
	w.T.Helper()
	late := metav1.ObjectMeta{GenerateName: "late-", Namespace: scenario.Team}
	one, site := scenario.Access("", "user01", scenario.PC01), scenario.Activation("")
	stranger := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.AccountID = scenario.OtherAccountID })
	one.ObjectMeta, site.ObjectMeta, stranger.ObjectMeta = late, late, metav1.ObjectMeta{GenerateName: late.GenerateName}
	one.Spec.AccountRef.Name, site.Spec.AccountRef.Name = "nobody", "nobody"
	w.Create(one, site, stranger)
	w.AwaitAccess(one, v1alpha1.ReasonAccountNotFound)
	w.AwaitActivation(site, v1alpha1.ReasonAccountNotFound)
	_, err := testenv.WaitFor(w.T.Context(), w.Client, stranger, func(a *v1alpha1.AWSAccount) bool {
		// AWS says that it is the wrong one, or there is one from an earlier time.
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason != ""
	})
	w.Must(err)
}

// policies counts the customer managed policies that there are.
func (w world) policies() float64 {
	n := 0.0
	for range w.Emulator.Account(scenario.AccountID).IAM.Latest().Policies() {
		n++
	}
	return n
}

func (w world) oldest(m *testenv.Manager) time.Duration {
	w.T.Helper()
	return time.Duration(sample(w.scrape(m), "ssm_access_oldest_revocation_seconds", labels{"account": scenario.AccountID}) * float64(time.Second))
}

func TestMetricsTellWhatHappens(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, one, two := scenario.Account(), scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user02", scenario.PC02)
	two.Spec.Principals[0].Name = "nobody"
	w.Create(main)
	w.AwaitAccount(main, v1alpha1.ReasonVerified)
	w.known()
	w.samples(m, []expected{
		{"ssm_access_account_policies", labels{"account": scenario.AccountID}, w.policies()},
		{"ssm_access_account_policies_quota", labels{"account": scenario.AccountID}, 1500},
		{"ssm_access_oldest_revocation_seconds", labels{"account": scenario.AccountID}, 0},
	})

	w.Create(one, two)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.AwaitAccess(two, v1alpha1.ReasonPrincipalNotFound)
	w.Must(w.Client.Delete(t.Context(), one))
	w.AwaitAccess(one, v1alpha1.ReasonEndingSessions)
	w.known()
	// The metrics count the lost permission before the status reports it.
	w.samples(m, []expected{
		{"ssm_access_grants", labels{"account": scenario.AccountID, "state": "granted"}, 0},
		{"ssm_access_grants", labels{"account": scenario.AccountID, "state": "revoking"}, 1},
		{"ssm_access_grants", labels{"account": scenario.AccountID, "state": "stalled"}, 1},
		{"ssm_access_account_declared", labels{"account": scenario.AccountID}, 1},
		{"ssm_access_account_ready", labels{"account": scenario.AccountID}, 1},
		{"ssm_access_aws_limiter_requests_per_second", labels{"account": scenario.AccountID, "service": "iam"}, 10_000},
		{"ssm_access_aws_requests_total", labels{"account": scenario.AccountID, "service": "iam", "operation": "CreatePolicy", "code": ""}, 1},
		{"ssm_access_aws_requests_total", labels{"account": scenario.AccountID, "service": "iam", "operation": "GetUser", "code": "NoSuchEntity"}, 1},
		{"ssm_access_revocation_seconds", labels{"account": scenario.AccountID, "until": "permission"}, 1},
		{"ssm_access_revocation_seconds", labels{"account": scenario.AccountID, "until": "sessions"}, -1},
	})
	if sample(w.scrape(m), "ssm_access_aws_request_duration_seconds", labels{"account": scenario.AccountID, "service": "sts"}) < 1 {
		t.Error("no call was timed")
	}
	w.Advance(scenario.Window, one)
	w.Must(testenv.WaitGone(t.Context(), w.Client, one))
	// The operator records the event after it has counted the revocation. The object does
	// not wait for that.
	w.AwaitEvent(one, v1alpha1.ReasonSessionsEnded)
	w.known()
	w.samples(m, []expected{
		{"ssm_access_revocation_seconds", labels{"account": scenario.AccountID, "until": "sessions"}, 1},
		{"ssm_access_oldest_revocation_seconds", labels{"account": scenario.AccountID}, 0},
	})
}

func TestMetricsTellHowOldAStalledRevocationIs(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant := scenario.Access("one", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "iam:DetachUserPolicy"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitAccess(grant, v1alpha1.ReasonAccessDenied)
	w.Advance(15 * time.Minute)
	w.known()
	w.samples(m, []expected{
		{"ssm_access_grants", labels{"account": scenario.AccountID, "state": "revoking"}, 0},
		{"ssm_access_grants", labels{"account": scenario.AccountID, "state": "stalled"}, 1},
	})
	if age := w.oldest(m); age < 15*time.Minute || age > 20*time.Minute {
		t.Errorf("a revocation that stalled 15 minutes ago is %v old", age)
	}

	// A restart forgets nothing of it.
	w.Must(m.Stop())
	m = w.Manager(t, testenv.ManagerOptions{})
	if age := w.oldest(m); age < 15*time.Minute {
		t.Errorf("after a restart a revocation of 15 minutes is %v old", age)
	}
	w.Emulator.RemoveFault(fault)
}

// A trial leaves nothing in AWS, so no revocation is open for it. Access that was granted
// before mode Observe may be open.
func TestMetricsTellInModeObserveOfWhatIsKept(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, kept, trial := scenario.Account(), scenario.Access("kept", "user01", scenario.PC01), scenario.Access("trial", "user02", scenario.PC01)
	w.Create(main, kept)
	w.AwaitAccess(kept, v1alpha1.ReasonGranted)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.AwaitAccount(main, v1alpha1.ReasonVerified)
	w.Create(trial)
	w.AwaitAccess(trial, v1alpha1.ReasonObserved)
	move := func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02} }
	scenario.Change(w.World, trial, move)
	_, err := testenv.WaitFor(t.Context(), w.Client, trial, func(a *v1alpha1.SessionAccess) bool {
		record := a.Status.Applied
		return record != nil && record.Generation == trial.Generation && len(record.Revoking) == 0
	})
	w.Must(err)
	w.Advance(15 * time.Minute)
	w.known()
	if age := w.oldest(m); age != 0 {
		t.Errorf("a revocation of a trial is %v old", age)
	}

	scenario.Change(w.World, kept, move)
	w.AwaitAccess(kept, v1alpha1.ReasonObserved)
	w.Advance(15 * time.Minute)
	w.known()
	w.samples(m, []expected{{"ssm_access_grants", labels{"account": scenario.AccountID, "state": "observed"}, 2}})
	if age := w.oldest(m); age < 15*time.Minute {
		t.Errorf("what mode Observe has kept for 15 minutes is %v old", age)
	}
}

// drifts are the foreign changes to a policy of this operator, by the user whose policy
// it is.
var drifts = map[string]struct {
	kind string
	make func(w world, admin *awsiam.Client, user, arn string) error
}{
	"edited": {"Edited", func(w world, admin *awsiam.Client, _, arn string) error {
		document := scenario.AllowAllOfSSM
		_, err := admin.CreatePolicyVersion(w.T.Context(), &awsiam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &document, SetAsDefault: true})
		return err
	}},
	"moved": {"DefaultMoved", func(w world, admin *awsiam.Client, _, arn string) error {
		_, err := admin.SetDefaultPolicyVersion(w.T.Context(), &awsiam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: new("v1")})
		return err
	}},
	"detached": {"Detached", func(w world, admin *awsiam.Client, user, arn string) error {
		_, err := admin.DetachUserPolicy(w.T.Context(), &awsiam.DetachUserPolicyInput{PolicyArn: &arn, UserName: &user})
		return err
	}},
	"lent": {"AttachedElsewhere", func(w world, admin *awsiam.Client, _, arn string) error {
		_, err := admin.AttachUserPolicy(w.T.Context(), &awsiam.AttachUserPolicyInput{PolicyArn: &arn, UserName: new("user02")})
		return err
	}},
	"deleted": {"Deleted", func(w world, admin *awsiam.Client, user, arn string) error {
		if _, err := admin.DetachUserPolicy(w.T.Context(), &awsiam.DetachUserPolicyInput{PolicyArn: &arn, UserName: &user}); err != nil {
			return err
		}
		_, err := admin.DeletePolicy(w.T.Context(), &awsiam.DeletePolicyInput{PolicyArn: &arn})
		return err
	}},
}

func TestMetricsTellOfDriftAndOfThrottling(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main := scenario.Account()
	w.Create(main)
	arns := map[string]string{}
	for name := range drifts {
		w.Must(w.Emulator.Account(scenario.AccountID).IAM.AddUser(fixtures.User{Name: name}))
		grant := scenario.Access(name, name, scenario.PC01)
		w.Create(grant)
		w.AwaitAccess(grant, v1alpha1.ReasonGranted)
		if name == "moved" { // To an older version, so there must be one.
			scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
				a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01, scenario.PC02}
			})
		}
		arns[name] = w.AwaitAccess(grant, v1alpha1.ReasonGranted).Status.Principals[0].PolicyARNs[0]
	}
	// A change counts as foreign once the operator's own write is past the window, and
	// no resync is due before all of them are made.
	w.Advance(scenario.Window)
	admin := awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin")))
	for name, drift := range drifts {
		w.Must(drift.make(w, admin, name, arns[name]))
	}
	w.AddForeignPolicy(fixtures.Policy{
		Name:     policy.Name(testenv.DefaultOwner, policy.Principal{Kind: policy.User, Name: "user01"}, 1),
		Path:     policy.Path(testenv.DefaultOwner),
		Document: []byte(scenario.AllowAllOfSSM),
	})
	w.Advance(6*time.Minute, main)
	// The resync records the event once it has counted every change.
	w.AwaitEvent(main, v1alpha1.ReasonDriftFound)
	want := []expected{{"ssm_access_drift_found_total", labels{"account": scenario.AccountID, "kind": "Appeared"}, 1}}
	for _, drift := range drifts {
		want = append(want, expected{"ssm_access_drift_found_total", labels{"account": scenario.AccountID, "kind": drift.kind}, 1})
	}
	w.samples(m, want)
	w.throttles(m, main)
}

// throttles has AWS throttle a resync for as long as it takes to see the rate go
// down: it recovers by the machine's clock.
func (w world) throttles(m *testenv.Manager, main *v1alpha1.AWSAccount) {
	w.T.Helper()
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.Throttle, Action: "iam:GetAccountSummary"})
	w.Must(err)
	seen := w.LastCall()
	w.Advance(6*time.Minute, main)
	for range 2 { // The answer to the first has been taken in when the second comes.
		call, err := w.WaitCall(w.T.Context(), seen, func(c calls.Call) bool { return c.Operation == "GetAccountSummary" })
		w.Must(err)
		seen = call.N
	}
	if rate := sample(w.scrape(m), "ssm_access_aws_limiter_requests_per_second", labels{"account": scenario.AccountID, "service": "iam"}); rate >= 10_000 {
		w.T.Errorf("the rate is %v after throttling", rate)
	}
	w.Emulator.RemoveFault(fault)
}

func TestMetricsTellWhichNodesAreReachedAndHowLongActivationsLast(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant := scenario.Access("both", "user01", scenario.PC01, "i-00000000000000bad")
	w.Create(scenario.Account(scenario.AllowActivations()), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.AwaitNodesChecked(grant)
	for _, site := range []*v1alpha1.HybridActivation{
		scenario.Activation("day"), scenario.Activation("week", scenario.ValidFor(5*24*time.Hour)), scenario.Activation("month", scenario.ValidFor(20*24*time.Hour)),
	} {
		w.Create(site)
		w.AwaitActivation(site, v1alpha1.ReasonActivated)
	}
	w.known()
	w.samples(m, []expected{
		{"ssm_access_targets", labels{"account": scenario.AccountID, "state": "connected"}, 1},
		{"ssm_access_targets", labels{"account": scenario.AccountID, "state": "unreachable"}, 1},
		{"ssm_access_targets", labels{"account": scenario.AccountID, "state": "unknown"}, 0},
		{"ssm_access_activations", labels{"account": scenario.AccountID, "left": "none"}, 0},
		{"ssm_access_activations", labels{"account": scenario.AccountID, "left": "under-1d"}, 1},
		{"ssm_access_activations", labels{"account": scenario.AccountID, "left": "under-7d"}, 1},
		{"ssm_access_activations", labels{"account": scenario.AccountID, "left": "over-7d"}, 1},
		// The activation of known, whose account no AWSAccount declares.
		{"ssm_access_activations", labels{"account": "", "left": "none"}, 1},
	})
	// Nothing replaces what expires, even when a reconcile runs before the scrape.
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "ssm:CreateActivation"})
	w.Must(err)
	w.Advance(25 * time.Hour)
	w.samples(m, []expected{
		{"ssm_access_activations", labels{"account": scenario.AccountID, "left": "none"}, 1},
		{"ssm_access_activations", labels{"account": scenario.AccountID, "left": "under-1d"}, 0},
		{"ssm_access_activations", labels{"account": scenario.AccountID, "left": "under-7d"}, 1},
	})
}
