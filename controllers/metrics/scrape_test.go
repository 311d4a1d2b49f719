package metrics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/labels"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
)

// gather is what a scrape gets: values by name and labels. A histogram has its
// count there, and its sum under the name with " sum" behind it.
func gather(t *testing.T, m *Metrics) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, sample := range family.GetMetric() {
			var tags []string
			for _, l := range sample.GetLabel() {
				tags = append(tags, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			name := family.GetName() + "{" + strings.Join(tags, ",") + "}"
			got[name] = sample.GetCounter().GetValue() + sample.GetGauge().GetValue() + float64(sample.GetHistogram().GetSampleCount())
			if h := sample.GetHistogram(); h != nil {
				got[name+" sum"] = h.GetSampleSum()
			}
		}
	}
	return got
}

// objectsOf is a cache that holds these objects.
type objectsOf struct {
	client.Reader
	accounts    []v1alpha1.AWSAccount
	accesses    []v1alpha1.SessionAccess
	activations []v1alpha1.HybridActivation
}

func (o objectsOf) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	switch list := list.(type) {
	case *v1alpha1.AWSAccountList:
		list.Items = o.accounts
	case *v1alpha1.SessionAccessList:
		list.Items = o.accesses
	case *v1alpha1.HybridActivationList:
		list.Items = o.activations
	default:
		return errors.New("there are none of that kind")
	}
	return nil
}

// noon is when everything is scraped here.
var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// watching returns the metrics of these objects, for a manager that works on the
// accounts that a selector picks.
func watching(t *testing.T, o objectsOf, selector string) *Metrics {
	t.Helper()
	mine, err := labels.Parse(selector)
	if err != nil {
		t.Fatal(err)
	}
	elected := make(chan struct{})
	close(elected)
	m := New()
	m.Watch(Sources{
		Client: o, Clock: clocktesting.NewFakePassiveClock(noon), Accounts: accounts.NewRegistry(),
		Scope: accounts.Shard{Selector: mine}, Elected: elected,
	})
	return m
}
