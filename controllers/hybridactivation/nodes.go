package hybridactivation

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

const (
	// maxNodes is how many nodes the status lists.
	maxNodes = 50
	// maxTagged is how many nodes get their tag back in one pass.
	maxTagged = 50
	// keepFormer is how many of the latest former activations stay in the record although
	// AWS shows no node of them: a node may have registered in the last moment.
	keepFormer = 8
)

// showNodes puts the nodes into the status, and gives them back the tag by which
// access to them is granted where they lost it.
func (s *scope) showNodes(ctx context.Context) error {
	listing, err := s.Listings.nodes(ctx, s.account, s.desired.region, func() ([]string, error) { return s.uids(ctx) })
	if err != nil {
		return err
	}
	nodes := nodesOf(&s.Object.Status, listing.byActivation)
	if record := s.Object.Status.Record; record != nil {
		record.Former = withNodes(record.Former, listing.byActivation)
	}
	listNodes(&s.Object.Status, nodes)
	if s.isObserving {
		return nil
	}
	if err := s.tagNodes(ctx, nodes, listing.tagged); err != nil {
		return err
	}
	return s.nameNodes(ctx, nodes, listing)
}

// uids are those of all objects of the account in the region.
func (s *scope) uids(ctx context.Context) ([]string, error) {
	return uidsIn(ctx, s.Client, s.Object.Spec.AccountRef.Name, s.Object.Spec.Region)
}

// uidsIn are the UIDs of the objects of an AWSAccount in a region.
func uidsIn(ctx context.Context, c client.Reader, account string, region v1alpha1.Region) ([]string, error) {
	var all v1alpha1.HybridActivationList
	if err := c.List(ctx, &all, queue.OfAccountName(account), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the HybridActivations of AWSAccount %q: %w", account, err)
	}
	var uids []string
	for i := range all.Items {
		if all.Items[i].Spec.Region == region {
			uids = append(uids, string(all.Items[i].UID))
		}
	}
	slices.Sort(uids)
	return uids, nil
}

// nodesOf are the nodes that registered with an activation of the object, by id.
func nodesOf(status *v1alpha1.HybridActivationStatus, byActivation map[string][]cloud.HybridNode) []cloud.HybridNode {
	ids := []string{status.ActivationID}
	if record := status.Record; record != nil {
		ids = append(ids, record.Former...)
		for _, p := range record.Previous {
			ids = append(ids, p.ID)
		}
	}
	slices.Sort(ids)
	var nodes []cloud.HybridNode
	for _, id := range slices.Compact(ids) {
		if id != "" {
			nodes = append(nodes, byActivation[id]...)
		}
	}
	slices.SortFunc(nodes, func(a, b cloud.HybridNode) int { return cmp.Compare(a.ID, b.ID) })
	return nodes
}

// withNodes leaves out the former activations that have no node any more.
func withNodes(former []string, byActivation map[string][]cloud.HybridNode) []string {
	var kept []string
	for i, id := range former {
		if len(former)-i <= keepFormer || len(byActivation[id]) > 0 {
			kept = append(kept, id)
		}
	}
	return kept
}

func listNodes(status *v1alpha1.HybridActivationStatus, nodes []cloud.HybridNode) {
	count := int32(len(nodes))
	status.NodeCount, status.Nodes = &count, nil
	for _, n := range nodes[:min(len(nodes), maxNodes)] {
		status.Nodes = append(status.Nodes, v1alpha1.HybridNode{ID: n.ID, Name: n.Name, Ping: n.Ping, AgentVersion: n.AgentVersion})
	}
}

// tagNodes puts the tag back on nodes that lost it.
func (s *scope) tagNodes(ctx context.Context, nodes []cloud.HybridNode, tagged map[string]bool) error {
	var lost []string
	for _, n := range nodes {
		if !tagged[n.ID] && len(lost) < maxTagged {
			lost = append(lost, n.ID)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	for _, id := range lost {
		log.FromContext(ctx).Info("Putting the tag of its activation back on a node", "node", id)
		if err := s.account.Cloud.TagNode(ctx, s.desired.region, id, s.nodeTags()); err != nil {
			return err
		}
	}
	s.Listings.tagged(s.place(), lost...)
	reconcile.RecordEvent(s.Recorder, s.Object, reconcile.Readyf(v1alpha1.ReasonNodesTagged,
		"Node %s had lost tag %s, by which access to it is granted, and has it again; so have %d more.", lost[0], v1alpha1.TagActivation, len(lost)-1))
	return nil
}
