// Package metrics exports the operator's metrics to Prometheus. Those on the work queues
// are controller-runtime's. Labels name an account by its id of twelve digits; no name of
// an object, principal or node is ever a label.
//
// Counted where it happens, by every replica:
//
//	ssm_access_aws_requests_total              counter    account, service, operation, code
//	ssm_access_aws_request_duration_seconds    histogram  account, service
//	ssm_access_drift_found_total               counter    account, kind
//	ssm_access_policies_contended_total        counter    account
//	ssm_access_revocation_seconds              histogram  account, until (permission, sessions)
//	ssm_access_writes_rejected_total           counter    kind
//
// Read from the cache at each scrape, by the replica that works alone:
//
//	ssm_access_grants                          gauge      account, state
//	ssm_access_targets                         gauge      account, state
//	ssm_access_activations                     gauge      account, left
//	ssm_access_oldest_revocation_seconds       gauge      account
//	ssm_access_account_declared                gauge      account
//	ssm_access_account_ready                   gauge      account
//	ssm_access_account_policies                gauge      account
//	ssm_access_account_policies_quota          gauge      account
//	ssm_access_aws_limiter_requests_per_second gauge      account, service
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
)

// namespace begins every name.
const namespace = "ssm_access"

// Metrics is all of it: one prometheus.Collector. Safe for concurrent use, and
// of no effect where it is nil.
type Metrics struct {
	requests    *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	drift       *prometheus.CounterVec
	contended   *prometheus.CounterVec
	revocations *prometheus.HistogramVec
	inFlight    revocations
	objects     objects
}

// revocationBuckets in seconds: a permission goes within a second or so, and the operator
// searches for sessions once more after a minute.
var revocationBuckets = []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 75, 90, 120, 300, 900, 3600}

// New makes metrics that have counted nothing.
func New() *Metrics {
	return &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "aws", Name: "requests_total",
			Help: "Calls to AWS that have ended, retries included in the call; code is AWS's error code, empty for success, or a class of this operator where AWS gave no answer.",
		}, []string{"account", "service", "operation", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: "aws", Name: "request_duration_seconds",
			Help:    "How long calls to AWS took, with their retries and the wait for the operator's own rate limit.",
			Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"account", "service"}),
		drift: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "drift_found_total",
			Help: "Changes that others made to policies of this operator, found by reading the account; kind says which.",
		}, []string{"account", "kind"}),
		contended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "policies_contended_total",
			Help: "Policies of this operator that became contended: they had to be put back three times within an hour.",
		}, []string{"account"}),
		revocations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "revocation_seconds",
			Help:    "Time from when a deletion or a narrowing of a SessionAccess was seen until its permission was gone, or until its open sessions were seen ended.",
			Buckets: revocationBuckets,
		}, []string{"account", "until"}),
		inFlight: revocations{began: map[revocationKey]time.Time{}},
	}
}

// counted are the metrics that are counted where it happens.
func (m *Metrics) counted() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.durations, m.drift, m.contended, m.revocations, reconcile.Rejections}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(descs chan<- *prometheus.Desc) {
	for _, c := range m.counted() {
		c.Describe(descs)
	}
	for _, desc := range described {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(samples chan<- prometheus.Metric) {
	for _, c := range m.counted() {
		c.Collect(samples)
	}
	m.objects.collect(samples)
}

// ObserveCall counts a call to AWS. It is for awsclient.Options.OnCall.
func (m *Metrics) ObserveCall(call awsclient.Call) {
	m.requests.WithLabelValues(call.AccountID, call.Service, call.Operation, call.Code).Inc()
	m.durations.WithLabelValues(call.AccountID, call.Service).Observe(call.Duration.Seconds())
}

// DriftFound counts a foreign change.
func (m *Metrics) DriftFound(accountID string, kind iam.DriftKind) {
	if m != nil {
		m.drift.WithLabelValues(accountID, string(kind)).Inc()
	}
}

// PolicyContended counts a policy that became contended.
func (m *Metrics) PolicyContended(accountID string) {
	if m != nil {
		m.contended.WithLabelValues(accountID).Inc()
	}
}
