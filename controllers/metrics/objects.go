package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
)

var (
	grants = prometheus.NewDesc(namespace+"_grants",
		"SessionAccesses by account and state: granted, scheduled, expired, observed, pending, revoking, stalled.", []string{"account", "state"}, nil)
	accountDeclared = prometheus.NewDesc(namespace+"_account_declared",
		"1 for each account that an AWSAccount of the cluster declares, whichever manager works on it.", []string{"account"}, nil)
	accountReady = prometheus.NewDesc(namespace+"_account_ready",
		"1 where condition Ready of the AWSAccount is True, else 0.", []string{"account"}, nil)
	policies = prometheus.NewDesc(namespace+"_account_policies",
		"Customer managed policies in the account, whoever made them.", []string{"account"}, nil)
	policiesQuota = prometheus.NewDesc(namespace+"_account_policies_quota",
		"How many customer managed policies the account may have.", []string{"account"}, nil)
	limiterRate = prometheus.NewDesc(namespace+"_aws_limiter_requests_per_second",
		"Rate at which the operator lets requests through at present; throttling halves it.", []string{"account", "service"}, nil)

	described = []*prometheus.Desc{grants, targets, activations, oldestRevocation, accountDeclared, accountReady, policies, policiesQuota, limiterRate}
)

// Sources are what is read at each scrape.
type Sources struct {
	// Client reads from the cache.
	Client client.Reader
	Clock  clock.PassiveClock
	// Accounts that are verified.
	Accounts *accounts.Registry
	// Scope says which objects are this manager's.
	Scope accounts.Shard
	// Elected is closed once this process is the leader: other replicas report no
	// metrics of objects, or a sum would count each object twice.
	Elected <-chan struct{}

	// seen is when a revocation began, where this process saw it.
	seen func(types.UID) time.Time
}

// objects reports the objects in the cluster, as they are at the scrape.
type objects struct {
	mu      sync.RWMutex
	sources *Sources
}

// Watch adds the metrics of the objects from now on.
func (m *Metrics) Watch(s Sources) {
	if m == nil {
		return
	}
	m.objects.mu.Lock()
	defer m.objects.mu.Unlock()
	s.seen = m.inFlight.since
	m.objects.sources = &s
}

// collect reports the objects; none while there is no cache to read.
func (o *objects) collect(samples chan<- prometheus.Metric) {
	o.mu.RLock()
	s := o.sources
	o.mu.RUnlock()
	if s == nil {
		return
	}
	select {
	case <-s.Elected:
	default:
		return
	}
	ids, oldest, ok := s.accounts(samples)
	if ok {
		s.accesses(samples, ids, oldest)
		s.activations(samples, ids)
	}
	s.limiters(samples)
}

// accounts reports the AWSAccounts. It returns the account id of each by name, and the
// age of the oldest pending revocation by account id.
func (s *Sources) accounts(samples chan<- prometheus.Metric) (ids map[string]string, pending ages, ok bool) {
	var all v1alpha1.AWSAccountList
	if err := s.Client.List(context.Background(), &all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, nil, false // The cache is not filled yet, or the process ends.
	}
	ids, pending = map[string]string{}, ages{}
	declared := map[string]bool{}
	ready := map[string]float64{}
	usage := map[string]*v1alpha1.PolicyUsage{}
	for i := range all.Items {
		account := &all.Items[i]
		id := account.Spec.AccountID
		declared[id] = true
		if !s.Scope.Selects(account) {
			continue
		}
		ids[account.Name] = id
		ready[id] += 0
		if meta.IsStatusConditionTrue(account.Status.Conditions, v1alpha1.ConditionReady) {
			ready[id] = 1
		}
		if use := account.Status.Policies; use != nil && use.Used != nil && use.Quota != nil {
			usage[id] = use
		}
		pending.add(id, 0)
		for _, item := range account.Status.PendingRevocations {
			pending.add(id, s.Clock.Since(item.ForcedAt.Time))
		}
	}
	for id := range declared {
		samples <- prometheus.MustNewConstMetric(accountDeclared, prometheus.GaugeValue, 1, id)
	}
	for id, value := range ready {
		samples <- prometheus.MustNewConstMetric(accountReady, prometheus.GaugeValue, value, id)
	}
	for id, use := range usage {
		samples <- prometheus.MustNewConstMetric(policies, prometheus.GaugeValue, float64(*use.Used), id)
		samples <- prometheus.MustNewConstMetric(policiesQuota, prometheus.GaugeValue, float64(*use.Quota), id)
	}
	return ids, pending, true
}

// place returns the account id under which an object counts that names an AWSAccount:
// the one in ids, or "" where the AWSAccount is unknown. An object of another manager
// does not count.
func (s *Sources) place(name string, ids map[string]string) (id string, counts bool) {
	if id, known := ids[name]; known {
		return id, true
	}
	covered, err := s.Scope.Covers(context.Background(), s.Client, name, nil)
	return "", err == nil && covered
}

func (s *Sources) limiters(samples chan<- prometheus.Metric) {
	for _, entry := range s.Accounts.All() {
		for service, rate := range entry.AWS().Rates() {
			samples <- prometheus.MustNewConstMetric(limiterRate, prometheus.GaugeValue, rate, entry.AccountID, service)
		}
	}
}
