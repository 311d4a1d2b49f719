package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

var targets = prometheus.NewDesc(namespace+"_targets",
	"Nodes that SessionAccesses cover, once for each of them, by account and state: connected, unreachable, unknown.", []string{"account", "state"}, nil)

var nodeStates = []string{nodeConnected, nodeUnreachable, nodeUnknown}

// The states of a node.
const (
	nodeConnected   = "connected"   // a session can be opened on it
	nodeUnreachable = "unreachable" // AWS says that none can
	nodeUnknown     = "unknown"     // the operator cannot determine it
)

// tally counts by account and state.
type tally map[struct{ account, state string }]int

func (t tally) add(account, state string, n int) {
	t[struct{ account, state string }{account, state}] += n
}

// zero adds a zero for each state of every account, so that all of them are reported.
func (t tally) zero(ids map[string]string, states ...string) tally {
	for _, id := range ids {
		for _, state := range states {
			t.add(id, state, 0)
		}
	}
	return t
}

func (t tally) collect(samples chan<- prometheus.Metric, desc *prometheus.Desc) {
	for of, n := range t {
		samples <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), of.account, of.state)
	}
}

// accesses counts the SessionAccesses by account and state, and their nodes. It also
// reports the age of the oldest revocation, pending revocations of accounts included.
// Objects whose AWSAccount is not known count under an empty account.
func (s *Sources) accesses(samples chan<- prometheus.Metric, ids map[string]string, oldest ages) {
	var all v1alpha1.SessionAccessList
	if err := s.Client.List(context.Background(), &all, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	objects := tally{}.zero(ids, states...)
	nodes := tally{}.zero(ids, nodeStates...)
	for i := range all.Items {
		access := &all.Items[i]
		id, counts := s.place(access.Spec.AccountRef.Name, ids)
		if !counts {
			continue
		}
		objects.add(id, stateOf(access), 1)
		if since, open := openSince(access, s.seen(access.UID)); open {
			oldest.add(id, s.age(since))
		}
		if t := access.Status.Targets; t != nil && t.Total != nil && t.Connected != nil {
			nodes.add(id, nodeConnected, int(*t.Connected))
			nodes.add(id, nodeUnknown, int(t.Unknown))
			nodes.add(id, nodeUnreachable, int(*t.Total-*t.Connected-t.Unknown))
		}
	}
	objects.collect(samples, grants)
	nodes.collect(samples, targets)
	oldest.collect(samples)
}

// age is how long something has lasted; nothing where it is not known since when.
func (s *Sources) age(since time.Time) time.Duration {
	if since.IsZero() {
		return 0
	}
	return s.Clock.Since(since)
}
