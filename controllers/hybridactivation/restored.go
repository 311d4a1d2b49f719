package hybridactivation

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// Access to nodes is granted by tag TagActivation, which holds the UID of their
// object. A restore gives the object another UID. Tag TagObject names the object
// by installation, namespace and name: by it the restored object finds the nodes
// and gives them its UID. No other object has that name, and no tenant can
// have the operator write the tag. Who may tag nodes in AWS can forge it, as
// they can forge TagActivation itself.

const (
	// released is the value of TagObject on nodes whose object was deleted: a later
	// object of the same name does not get them.
	released = "released"
	// nextNodes is how soon more nodes are tagged, so that other objects get their
	// turn.
	nextNodes = time.Second
)

// names remembers which nodes are known to carry the tag TagObject of their
// object, and which objects have nodes left to tag. It does not outlive the
// process: the next one reads the tags once more. The zero value is ready.
type names struct {
	mu    sync.Mutex
	known map[types.UID]*named
}

type named struct {
	nodes map[string]bool
	// sought is when nodes of an earlier object were looked up last.
	sought time.Time
	more   bool
}

func (n *names) of(uid types.UID) *named {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = map[types.UID]*named{}
	}
	if n.known[uid] == nil {
		n.known[uid] = &named{nodes: map[string]bool{}}
	}
	return n.known[uid]
}

func (n *names) unfinished(uid types.UID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known[uid] != nil && n.known[uid].more
}

func (n *names) setUnfinished(uid types.UID, more bool) {
	known := n.of(uid)
	n.mu.Lock()
	defer n.mu.Unlock()
	known.more = more
}

func (n *names) forget(uid types.UID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.known, uid)
}

// nodeTags are those by which a node is its object's.
func (s *scope) nodeTags() map[string]string {
	return map[string]string{
		v1alpha1.TagActivation: string(s.Object.UID),
		v1alpha1.TagObject:     s.desired.tags[v1alpha1.TagObject],
	}
}

// expected are the tags that an activation of this spec must have. An activation that
// an earlier version made lacks TagObject, and cannot get it any more.
func (d desired) expected(a cloud.Activation) map[string]string {
	if _, has := a.Tags[v1alpha1.TagObject]; has {
		return d.tags
	}
	tags := maps.Clone(d.tags)
	delete(tags, v1alpha1.TagObject)
	return tags
}

// remember keeps an activation whose code was lost among the former ones, so that
// its nodes stay the object's.
func (d *plan) remember(id string) {
	if !slices.Contains(d.record.Former, id) {
		d.record.Former = append(d.record.Former, id)
	}
}

// nameNodes gives the nodes of the object the tag TagObject where they lack it, and
// the nodes of an earlier object of the same name the UID of this one.
func (s *scope) nameNodes(ctx context.Context, nodes []cloud.HybridNode, listing nodeListing) error {
	known := s.names.of(s.Object.UID)
	var unknown []string
	for _, n := range nodes {
		if !known.nodes[n.ID] && !s.Listings.carries(s.place(), n.ActivationID, s.desired.tags[v1alpha1.TagObject]) {
			unknown = append(unknown, n.ID)
		}
	}
	seek := listing.hasStrangers() && s.mayHaveEarlier(known, listing)
	if len(unknown) == 0 && !seek {
		return nil
	}
	carrying, err := s.account.Cloud.HybridNodesTagged(ctx, s.desired.region, v1alpha1.TagObject, s.desired.tags[v1alpha1.TagObject])
	if err != nil {
		return err
	}
	var lacking, earlier []string
	has := map[string]bool{}
	for _, n := range carrying {
		has[n.ID] = true
		if !listing.tagged[n.ID] {
			earlier = append(earlier, n.ID)
		}
	}
	for _, id := range unknown {
		if has[id] {
			known.nodes[id] = true
		} else {
			lacking = append(lacking, id)
		}
	}
	known.sought = listing.begun
	s.names.setUnfinished(s.Object.UID, len(earlier)+len(lacking) > maxTagged)
	return s.tagAll(ctx, earlier, lacking, known)
}

// mayHaveEarlier reports whether nodes of an earlier object may be found: once in
// each process, and at each list of nodes while the object is so young that it may
// have been restored a moment ago, or some are left to be tagged.
func (s *scope) mayHaveEarlier(known *named, listing nodeListing) bool {
	if known.sought.IsZero() || s.names.unfinished(s.Object.UID) {
		return true
	}
	young := s.Clock.Now().Before(s.Object.CreationTimestamp.Add(accounts.RestoreWindow))
	return young && listing.begun.After(known.sought)
}

// carries reports whether an activation is known to carry a value of TagObject,
// which AWS then copied to its nodes.
func (l *Listings) carries(p place, activation, value string) bool {
	r := l.at(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.activations[activation].Tags[v1alpha1.TagObject] == value
}

// hasStrangers reports whether some hybrid node of the region carries the tag of
// no object.
func (n nodeListing) hasStrangers() bool {
	for _, nodes := range n.byActivation {
		if slices.ContainsFunc(nodes, func(node cloud.HybridNode) bool { return !n.tagged[node.ID] }) {
			return true
		}
	}
	return false
}

// tagAll tags as many nodes as one pass does, those without access first.
func (s *scope) tagAll(ctx context.Context, earlier, lacking []string, known *named) error {
	earlier = earlier[:min(len(earlier), maxTagged)]
	for _, id := range append(slices.Clone(earlier), lacking[:min(len(lacking), maxTagged-len(earlier))]...) {
		log.FromContext(ctx).Info("Tagging a node with the name of its object", "node", id)
		if err := s.account.Cloud.TagNode(ctx, s.desired.region, id, s.nodeTags()); err != nil {
			return err
		}
		known.nodes[id] = true
	}
	if len(earlier) == 0 {
		return nil
	}
	s.Listings.tagged(s.place(), earlier...)
	reconcile.RecordEvent(s.Recorder, s.Object, reconcile.Readyf(v1alpha1.ReasonRestored,
		"Node %s registered with an earlier HybridActivation %s/%s, and belongs to this one now; so do %d more.", earlier[0], s.Object.Namespace, s.Object.Name, len(earlier)-1))
	return nil
}

// disown marks the nodes that stay when their object is deleted, so that a later
// object of the same name does not get them.
func (s *scope) disown(ctx context.Context) error {
	nodes, err := s.account.Cloud.HybridNodesTagged(ctx, s.region(), v1alpha1.TagActivation, string(s.Object.UID))
	if err != nil {
		return err
	}
	known := s.names.of(s.Object.UID)
	for _, n := range nodes {
		if known.nodes[released+n.ID] {
			continue
		}
		tags := map[string]string{v1alpha1.TagActivation: string(s.Object.UID), v1alpha1.TagObject: released}
		if err := s.account.Cloud.TagNode(ctx, s.region(), n.ID, tags); err != nil {
			return err
		}
		known.nodes[released+n.ID] = true
	}
	return nil
}
