package hybridactivation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

const (
	// maxNodes is how many nodes the status lists.
	maxNodes = 50
	// keepFormer is how many of the latest former activations stay in the record although
	// AWS shows no node of them: a node may have registered in the last moment.
	keepFormer = 8
)

// showNodes puts the nodes into the status, and gives them the tags by which they are the
// object's where they lack them.
func (s *scope) showNodes(ctx context.Context) (leftOver, error) {
	listing, err := s.Activations.nodes(ctx, s.account, s.desired.region, func() ([]string, error) { return s.uids(ctx) })
	if err != nil {
		return leftOver{}, err
	}
	nodes := nodesOf(&s.Object.Status, listing.byActivation)
	if record := s.Object.Status.Record; record != nil {
		record.Former = withNodes(record.Former, listing.byActivation)
	}
	listNodes(&s.Object.Status, nodes)
	if s.isObserving {
		return leftOver{}, nil
	}
	return s.tagNodes(ctx, nodes, listing)
}

// uids are those of all objects of the account in the region.
func (s *scope) uids(ctx context.Context) ([]string, error) {
	return uidsIn(ctx, s.Client, s.Object.Spec.AccountRef.Name, s.Object.Spec.Region)
}

// uidsIn are the UIDs of the objects of an AWSAccount in a region. No node has that of an
// object without a record.
func uidsIn(ctx context.Context, c client.Reader, account string, region v1alpha1.Region) ([]string, error) {
	var all v1alpha1.HybridActivationList
	if err := c.List(ctx, &all, queue.OfAccountName(account), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the HybridActivations of AWSAccount %q: %w", account, err)
	}
	var uids []string
	for i := range all.Items {
		if all.Items[i].Spec.Region == region && all.Items[i].HasRecord() {
			uids = append(uids, string(all.Items[i].UID))
		}
	}
	slices.Sort(uids)
	return uids, nil
}

// nodesOf are the nodes that registered with an activation of the object, by id.
func nodesOf(status *v1alpha1.HybridActivationStatus, byActivation map[string][]ssm.HybridNode) []ssm.HybridNode {
	ids := []string{status.ActivationID}
	if record := status.Record; record != nil {
		ids = append(ids, record.Former...)
		for _, p := range record.Previous {
			ids = append(ids, p.ID)
		}
	}
	slices.Sort(ids)
	var nodes []ssm.HybridNode
	for _, id := range slices.Compact(ids) {
		if id != "" {
			nodes = append(nodes, byActivation[id]...)
		}
	}
	slices.SortFunc(nodes, func(a, b ssm.HybridNode) int { return cmp.Compare(a.ID, b.ID) })
	return nodes
}

// withNodes leaves out the former activations that have no node any more.
func withNodes(former []string, byActivation map[string][]ssm.HybridNode) []string {
	var kept []string
	for i, id := range former {
		if len(former)-i <= keepFormer || len(byActivation[id]) > 0 {
			kept = append(kept, id)
		}
	}
	return kept
}

func listNodes(status *v1alpha1.HybridActivationStatus, nodes []ssm.HybridNode) {
	count := int32(len(nodes))
	status.NodeCount, status.Nodes = &count, nil
	for _, n := range nodes[:min(len(nodes), maxNodes)] {
		status.Nodes = append(status.Nodes, v1alpha1.HybridNode{ID: n.ID, Name: n.Name, Ping: n.Ping, AgentVersion: n.AgentVersion})
	}
}

// nodesOfObject lists the nodes of an object: by the tag that AWS copied to them, by the
// activations that are known, and by the tag that outlives a restore, unless they are
// another object's by now. A node may be listed twice. uids are those of all objects of the
// region.
func nodesOfObject(ctx context.Context, in ssm.Region, who identity, activations []string, uids func() ([]string, error)) ([]ssm.HybridNode, error) {
	nodes, err := in.HybridNodesTagged(ctx, v1alpha1.TagActivation, string(who.uid))
	byActivation, failure := in.HybridNodesOf(ctx, activations...)
	nodes, err = append(nodes, byActivation...), errors.Join(err, failure)
	earlier, failure := in.HybridNodesTagged(ctx, v1alpha1.TagObject, who.object)
	earlier = without(earlier, nodes)
	if failure != nil || len(earlier) == 0 {
		return nodes, errors.Join(err, failure)
	}
	others, failure := uids()
	if failure != nil {
		return nodes, errors.Join(err, failure)
	}
	theirs, failure := in.HybridNodesTagged(ctx, v1alpha1.TagActivation, others...)
	if failure != nil {
		return nodes, errors.Join(err, failure)
	}
	return append(nodes, without(earlier, theirs)...), err
}

// without leaves some nodes out.
func without(nodes, some []ssm.HybridNode) []ssm.HybridNode {
	ids := map[string]bool{}
	for _, n := range some {
		ids[n.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(nodes), func(n ssm.HybridNode) bool { return ids[n.ID] })
}

// unclear are nodes that registered with an activation of this installation, or of one that
// is not named, whose object is gone, and whose tag TagObject is lost: each may be this
// object's, if that was restored without status.
func (s *scope) unclear(ctx context.Context) ([]string, error) {
	in := s.account.SSM(s.desired.region)
	uids, err := s.uids(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := in.HybridNodesWithTag(ctx, v1alpha1.TagActivation)
	if err != nil || len(nodes) == 0 {
		return nil, err
	}
	theirs, err1 := in.HybridNodesTagged(ctx, v1alpha1.TagActivation, uids...)
	named, err2 := in.HybridNodesWithTag(ctx, v1alpha1.TagObject)
	owned, err3 := in.HybridNodesWithTag(ctx, v1alpha1.TagOwner)
	ours, err4 := in.HybridNodesTagged(ctx, v1alpha1.TagOwner, s.OwnerID)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	nodes = without(without(without(nodes, theirs), named), without(owned, ours))
	return nodeIDs(nodes), nil
}

// nodeIDs are the ids of nodes, each once, sorted.
func nodeIDs(nodes []ssm.HybridNode) []string {
	var ids []string
	for _, n := range nodes {
		ids = append(ids, n.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
