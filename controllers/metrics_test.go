package controllers_test

import (
	"testing"
	"time"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv"
)

// scrape is what Prometheus would get from a manager.
func (w world) scrape(m *testenv.Manager) map[string]*dto.MetricFamily {
	w.t.Helper()
	registry := prometheus.NewPedanticRegistry()
	w.must(registry.Register(m.Metrics))
	families, err := registry.Gather()
	w.must(err)
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

func TestMetricsTellWhatHappens(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	one, two := access("one", "user01", pc01), access("two", "user02", pc02)
	two.Spec.Principals[0].Name = "nobody"
	w.create(account(), one, two)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.accessIs(two, v1alpha1.ReasonPrincipalNotFound)
	w.must(w.Client.Delete(t.Context(), one))
	w.accessIs(one, v1alpha1.ReasonEndingSessions)

	w.samples(m, []expected{
		{"ssm_access_grants", labels{"account": accountID, "state": "granted"}, 0},
		{"ssm_access_grants", labels{"account": accountID, "state": "revoking"}, 1},
		{"ssm_access_grants", labels{"account": accountID, "state": "stalled"}, 1},
		{"ssm_access_account_ready", labels{"account": accountID}, 1},
		{"ssm_access_account_policies_quota", labels{"account": accountID}, 1500},
		{"ssm_access_aws_limiter_requests_per_second", labels{"account": accountID, "service": "iam"}, 10_000},
		{"ssm_access_aws_requests_total", labels{"account": accountID, "service": "iam", "operation": "CreatePolicy", "code": ""}, 1},
		{"ssm_access_aws_requests_total", labels{"account": accountID, "service": "iam", "operation": "GetUser", "code": "NoSuchEntity"}, 1},
		{"ssm_access_revocation_seconds", labels{"account": accountID, "until": "permission"}, 1},
		{"ssm_access_revocation_seconds", labels{"account": accountID, "until": "sessions"}, -1},
	})
	if sample(w.scrape(m), "ssm_access_aws_request_duration_seconds", labels{"service": "sts"}) < 1 {
		t.Error("no call was timed")
	}
	w.advance(testWindow, one)
	w.must(testenv.WaitGone(t.Context(), w.Client, one))
	w.samples(m, []expected{
		{"ssm_access_revocation_seconds", labels{"account": accountID, "until": "sessions"}, 1},
	})
}

type expected struct {
	name   string
	labels labels
	value  float64
}

func (w world) samples(m *testenv.Manager, want []expected) {
	w.t.Helper()
	got := w.scrape(m)
	for _, e := range want {
		if value := sample(got, e.name, e.labels); value != e.value {
			w.t.Errorf("%s%v is %v, want %v", e.name, e.labels, value, e.value)
		}
	}
}

func TestMetricsTellOfDriftAndOfThrottling(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	one := access("one", "user01", pc01)
	w.create(account(), one)
	w.accessIs(one, v1alpha1.ReasonGranted)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Throttle, Action: "iam:GetAccountSummary", Count: 1})
	w.must(err)
	w.advance(testWindow)
	arn, name := w.ourPolicies()[0].ARN, "user01"
	_, err = awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin"))).DetachUserPolicy(t.Context(), &awsiam.DetachUserPolicyInput{PolicyArn: &arn, UserName: &name})
	w.must(err)
	w.until(func() bool { return w.may("user01", pc01) })
	got := w.scrape(m)
	if n := sample(got, "ssm_access_drift_found_total", labels{"account": accountID, "kind": "Detached"}); n != 1 {
		t.Errorf("%v changes of others were counted, want 1", n)
	}
	if rate := sample(got, "ssm_access_aws_limiter_requests_per_second", labels{"account": accountID, "service": "iam"}); rate >= 10_000 {
		t.Errorf("the rate is %v after throttling", rate)
	}
}

func TestMetricsTellWhichNodesAreReachedAndHowLongActivationsLast(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	grant, site, closed := access("both", "user01", pc01, "i-00000000000000bad"), activation("site"), activation("closed")
	closed.Spec.AccountRef.Name = "nobody"
	w.create(account(allowActivations()), grant, closed)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.looked(grant)
	w.create(site)
	w.activationIs(site, v1alpha1.ReasonActivated)
	w.activationIs(closed, v1alpha1.ReasonAccountNotFound)
	w.samples(m, []expected{
		{"ssm_access_targets", labels{"account": accountID, "state": "connected"}, 1},
		{"ssm_access_targets", labels{"account": accountID, "state": "unreachable"}, 1},
		{"ssm_access_targets", labels{"account": accountID, "state": "unknown"}, 0},
		{"ssm_access_activations", labels{"account": accountID, "left": "none"}, 0},
		{"ssm_access_activations", labels{"account": accountID, "left": "under-1d"}, 1},
		{"ssm_access_activations", labels{"account": accountID, "left": "over-7d"}, 0},
		{"ssm_access_activations", labels{"account": "", "left": "none"}, 1},
	})
	w.advance(25 * time.Hour)
	w.samples(m, []expected{
		{"ssm_access_activations", labels{"account": accountID, "left": "none"}, 1},
		{"ssm_access_activations", labels{"account": accountID, "left": "under-1d"}, 0},
	})
}
