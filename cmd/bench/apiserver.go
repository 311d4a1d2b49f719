package main

import (
	"bytes"
	"context"
	"fmt"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// apiWrites are the requests that the API server has seen, whoever sent them.
type apiWrites struct {
	// status of our kinds, anything else of our kinds, and events.
	status, other, events int
}

// apiWrites reads the API server's own count of requests.
func (w *world) apiWrites(ctx context.Context) (apiWrites, error) {
	client, err := kubernetes.NewForConfig(w.env.Config)
	if err != nil {
		return apiWrites{}, fmt.Errorf("make a client for the API server's metrics: %w", err)
	}
	text, err := client.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return apiWrites{}, fmt.Errorf("read the API server's metrics: %w", err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return apiWrites{}, fmt.Errorf("read the API server's metrics: %w", err)
	}
	return sumWrites(families["apiserver_request_total"]), nil
}

func sumWrites(family *dto.MetricFamily) apiWrites {
	var sum apiWrites
	for _, metric := range family.GetMetric() {
		labels := map[string]string{}
		for _, pair := range metric.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		n := int(metric.GetCounter().GetValue())
		switch {
		case !writes[labels["verb"]]:
		case labels["resource"] == "events":
			sum.events += n
		case labels["group"] != v1alpha1.GroupVersion.Group:
		case labels["subresource"] == "status":
			sum.status += n
		default:
			sum.other += n
		}
	}
	return sum
}

// writes are the verbs that change something.
var writes = map[string]bool{"POST": true, "PUT": true, "PATCH": true, "APPLY": true, "DELETE": true, "DELETECOLLECTION": true}
