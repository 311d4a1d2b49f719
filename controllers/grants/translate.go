package grants

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// Expired reports whether a grant has ended by itself.
func Expired(grant *v1alpha1.ResolvedGrant, now time.Time) bool {
	return grant.NotAfter != nil && !now.Before(grant.NotAfter.Time)
}

// Policy puts a resolved grant into the terms of the compiler. id is the UID of
// its SessionAccess.
func Policy(id string, g *v1alpha1.ResolvedGrant) policy.Grant {
	grant := policy.Grant{
		ID:          id,
		Regions:     texts(g.Regions),
		OwnSessions: policy.Scope(g.SessionScope),
		DataChannel: policy.DataChannelScope(g.DataChannelScope),
		NotBefore:   timeOf(g.NotBefore),
		NotAfter:    timeOf(g.NotAfter),
		RequireMFA:  g.RequireMFA,
		SourceCIDRs: texts(g.SourceCIDRs),
	}
	for _, t := range g.Targets {
		grant.Targets = append(grant.Targets, policy.Target{InstanceIDs: texts(t.InstanceIDs), Tags: t.Tags, HybridIn: string(t.HybridRegion)})
	}
	for _, e := range g.ExcludedTags {
		grant.Excluded = append(grant.Excluded, policy.ExcludedTag{Key: e.Key, Values: e.Values})
	}
	for _, d := range g.Documents {
		grant.Documents = append(grant.Documents, policy.Document{Name: d.Name, KMSKeyARN: d.KMSKeyARN})
	}
	for _, c := range g.Clients {
		grant.Clients = append(grant.Clients, policy.Client(c))
	}
	return grant
}

// Principals are the principals of a grant in the terms of the compiler.
func Principals(g *v1alpha1.ResolvedGrant) []policy.Principal {
	out := make([]policy.Principal, len(g.Principals))
	for i, p := range g.Principals {
		out[i] = policy.Principal{Kind: policy.Kind(p.Kind), Name: p.Name}
	}
	return out
}

func texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

func timeOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
