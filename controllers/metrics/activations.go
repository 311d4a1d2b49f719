package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

var activations = prometheus.NewDesc(namespace+"_activations",
	"HybridActivations by account and by the time that their activation has left: none, under-1d, under-7d, over-7d. None is of those that have no activation, or one that expired.", []string{"account", "left"}, nil)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// left is how long an activation is good for still.
func left(a *v1alpha1.HybridActivation, now time.Time) string {
	expires := a.Status.ExpiresAt
	switch {
	case a.Status.ActivationID == "" || expires == nil || !now.Before(expires.Time):
		return leftNone
	case expires.Sub(now) < day:
		return leftDay
	case expires.Sub(now) < week:
		return leftWeek
	default:
		return leftMore
	}
}

const (
	leftNone = "none"
	leftDay  = "under-1d"
	leftWeek = "under-7d"
	leftMore = "over-7d"
)

var lefts = []string{leftNone, leftDay, leftWeek, leftMore}

// activations counts the HybridActivations that are not being deleted.
func (s *Sources) activations(samples chan<- prometheus.Metric, ids map[string]string) {
	var all v1alpha1.HybridActivationList
	if err := s.Client.List(context.Background(), &all, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	counts := tally{}.zero(ids, lefts...)
	for i := range all.Items {
		a := &all.Items[i]
		if id, ok := s.place(a.Spec.AccountRef.Name, ids); ok && a.DeletionTimestamp.IsZero() {
			counts.add(id, left(a, s.Clock.Now()), 1)
		}
	}
	counts.collect(samples, activations)
}
