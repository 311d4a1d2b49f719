package awscache

import (
	"context"

	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// Caches are shared by the controllers.
type Caches struct {
	// Tiers of the hybrid nodes, by region: one call.
	Tiers *Cache[v1alpha1.Region, ssm.TierSetting]
	// HybridNodes counts them, by region: one call for 50.
	HybridNodes *Cache[v1alpha1.Region, int]
	// Documents caches whether a session document exists: one call.
	Documents *Cache[Document, bool]
}

// Document is a session document by its name in AWS, of the account or of AWS.
type Document struct {
	Region v1alpha1.Region
	Name   string
}

// NewCaches returns Caches of nothing yet.
func NewCaches(clk clock.PassiveClock) *Caches {
	return &Caches{
		Tiers: NewCache(clk, func(ctx context.Context, account accounts.Entry, region v1alpha1.Region) (ssm.TierSetting, error) {
			return account.SSM(string(region)).TierSetting(ctx)
		}),
		HybridNodes: NewCache(clk, func(ctx context.Context, account accounts.Entry, region v1alpha1.Region) (int, error) {
			return account.SSM(string(region)).CountHybridNodes(ctx)
		}),
		Documents: NewCache(clk, func(ctx context.Context, account accounts.Entry, d Document) (bool, error) {
			return account.SSM(string(d.Region)).HasDocument(ctx, d.Name)
		}),
	}
}
