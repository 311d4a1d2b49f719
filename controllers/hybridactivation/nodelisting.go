package hybridactivation

import (
	"context"
	"maps"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// nodeListing is the hybrid nodes of a region, and which of them carry the tag of an
// object that this operator owns.
type nodeListing struct {
	begun time.Time
	// byActivation are the nodes by the activation with which they registered,
	// ordered as AWS gives them.
	byActivation map[string][]cloud.HybridNode
	tagged       map[string]bool
}

// nodes are the hybrid nodes of a region, from lists that are not too old. uids
// are those of all objects of the region, asked for only when they are needed.
func (l *Listings) nodes(ctx context.Context, account accounts.Entry, region string, uids func() ([]string, error)) (nodeListing, error) {
	r := l.at(place{account.AccountID, region})
	r.mu.Lock()
	defer r.mu.Unlock()
	now := l.clock.Now()
	if !r.nodes.begun.IsZero() && now.Sub(r.nodes.begun) < nodesMaxAge {
		return r.nodes, nil
	}
	nodes, err := account.Cloud.HybridNodes(ctx, region)
	if err != nil {
		return nodeListing{}, err
	}
	next := nodeListing{begun: now, byActivation: map[string][]cloud.HybridNode{}, tagged: map[string]bool{}}
	for _, n := range nodes {
		next.byActivation[n.ActivationID] = append(next.byActivation[n.ActivationID], n)
	}
	if len(nodes) > 0 {
		// Later than the first list, so that it holds the tags of all of its nodes.
		if err := next.readTags(ctx, account.Cloud, region, uids); err != nil {
			return nodeListing{}, err
		}
	}
	r.nodes = next
	return next, nil
}

func (n *nodeListing) readTags(ctx context.Context, account *cloud.Account, region string, uids func() ([]string, error)) error {
	values, err := uids()
	if err != nil {
		return err
	}
	tagged, err := account.HybridNodesTagged(ctx, region, v1alpha1.TagActivation, values...)
	if err != nil {
		return err
	}
	for _, node := range tagged {
		n.tagged[node.ID] = true
	}
	return nil
}

// tagged notes that nodes have their tag again. Others may be reading the map.
func (l *Listings) tagged(p place, ids ...string) {
	r := l.at(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	next := maps.Clone(r.nodes.tagged)
	for _, id := range ids {
		next[id] = true
	}
	r.nodes.tagged = next
}
