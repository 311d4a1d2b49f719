package queue

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// meter keeps the metrics that controller-runtime has for its own queues:
// workqueue_depth, workqueue_adds_total and workqueue_retries_total.
type meter interface {
	depth(items int)
	added()
	retry()
}

type noMeter struct{}

func (noMeter) depth(int) {}
func (noMeter) added()    {}
func (noMeter) retry()    {}

type prometheusMeter struct {
	items          prometheus.Gauge
	adds, retrying prometheus.Counter
}

func (m prometheusMeter) depth(items int) { m.items.Set(float64(items)) }
func (m prometheusMeter) added()          { m.adds.Inc() }
func (m prometheusMeter) retry()          { m.retrying.Inc() }

// newMeter uses the metrics that controller-runtime has registered.
func newMeter(controller string) meter {
	depth, ok1 := registered(prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Subsystem: metrics.WorkQueueSubsystem, Name: metrics.DepthKey, Help: "Current depth of workqueue by workqueue and priority",
	}, []string{"name", "controller", "priority"}))
	adds, ok2 := registered(prometheus.NewCounterVec(prometheus.CounterOpts{
		Subsystem: metrics.WorkQueueSubsystem, Name: metrics.AddsKey, Help: "Total number of adds handled by workqueue",
	}, []string{"name", "controller"}))
	retries, ok3 := registered(prometheus.NewCounterVec(prometheus.CounterOpts{
		Subsystem: metrics.WorkQueueSubsystem, Name: metrics.RetriesKey,
		Help: "Total number of items added to the workqueue with a non-zero delay (rate-limited requeues, explicit RequeueAfter or AddAfter calls)",
	}, []string{"name", "controller"}))
	if !ok1 || !ok2 || !ok3 {
		return noMeter{}
	}
	return prometheusMeter{depth.WithLabelValues(controller, controller, ""), adds.WithLabelValues(controller, controller), retries.WithLabelValues(controller, controller)}
}

// registered is the collector that the registry holds already.
func registered[C prometheus.Collector](like C) (C, bool) {
	err := metrics.Registry.Register(like)
	if known, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		c, same := known.ExistingCollector.(C)
		return c, same
	}
	return like, err == nil
}
