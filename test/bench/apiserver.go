package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// apiWrites counts writes of the operator's kinds and of events, by request:
// the verb and the resource, such as "PATCH sessionaccesses/status".
type apiWrites map[string]int

func request(verb, resource string) string { return verb + " " + resource }

// less is the same without what others count.
func (a apiWrites) less(others ...apiWrites) apiWrites {
	rest := maps.Clone(a)
	for _, other := range others {
		for request, n := range other {
			if rest[request] -= n; rest[request] == 0 {
				delete(rest, request)
			}
		}
	}
	return rest
}

// status counts the writes to the status of the operator's kinds, events those of
// events, and other all the rest.
func (a apiWrites) status() int { return a.count(ofStatus) }
func (a apiWrites) events() int { return a.count(ofEvents) }
func (a apiWrites) other() int {
	return a.count(func(request string) bool { return !ofStatus(request) && !ofEvents(request) })
}

func ofStatus(request string) bool { return strings.HasSuffix(request, "/status") }
func ofEvents(request string) bool { return strings.HasSuffix(request, " events") }

func (a apiWrites) count(holds func(request string) bool) int {
	sum := 0
	for request, n := range a {
		if holds(request) {
			sum += n
		}
	}
	return sum
}

// apiWrites reads the API server's own count of requests, those of all clients.
func (w *world) apiWrites(ctx context.Context) (apiWrites, error) {
	client, err := kubernetes.NewForConfig(w.env.Config)
	if err != nil {
		return nil, fmt.Errorf("make a client for the API server's metrics: %w", err)
	}
	text, err := client.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the API server's metrics: %w", err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the API server's metrics: %w", err)
	}
	return sumWrites(families["apiserver_request_total"]), nil
}

func sumWrites(family *dto.MetricFamily) apiWrites {
	sum := apiWrites{}
	for _, metric := range family.GetMetric() {
		labels := map[string]string{}
		for _, pair := range metric.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		ours := labels["resource"] == "events" || labels["group"] == v1alpha1.GroupVersion.Group
		if !ours || !writes[labels["verb"]] {
			continue
		}
		resource := labels["resource"]
		if labels["subresource"] != "" {
			resource += "/" + labels["subresource"]
		}
		sum[request(labels["verb"], resource)] += int(metric.GetCounter().GetValue())
	}
	return sum
}

// writes are the verbs that change something.
var writes = map[string]bool{"POST": true, "PUT": true, "PATCH": true, "APPLY": true, "DELETE": true, "DELETECOLLECTION": true}
