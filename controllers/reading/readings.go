package reading

import (
	"context"

	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/registry"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// Readings are shared by the controllers.
type Readings struct {
	// Tiers of the hybrid nodes, by region: one call.
	Tiers *Once[v1alpha1.Region, cloud.TierSetting]
	// HybridNodes counts them, by region: one call for 50.
	HybridNodes *Once[v1alpha1.Region, int]
	// Documents tells whether a session document exists: one call.
	Documents *Once[Document, bool]
}

// Document is a session document by its name in AWS, of the account or of AWS.
type Document struct {
	Region v1alpha1.Region
	Name   string
}

// New returns Readings of nothing yet.
func New(clk clock.PassiveClock) *Readings {
	return &Readings{
		Tiers: NewOnce(clk, func(ctx context.Context, account registry.Entry, region v1alpha1.Region) (cloud.TierSetting, error) {
			return account.Cloud.TierSetting(ctx, string(region))
		}),
		HybridNodes: NewOnce(clk, func(ctx context.Context, account registry.Entry, region v1alpha1.Region) (int, error) {
			return account.Cloud.CountHybridNodes(ctx, string(region))
		}),
		Documents: NewOnce(clk, func(ctx context.Context, account registry.Entry, d Document) (bool, error) {
			return account.Cloud.HasDocument(ctx, string(d.Region), d.Name)
		}),
	}
}
