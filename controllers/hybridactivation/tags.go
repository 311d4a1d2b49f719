package hybridactivation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// maxTagged is how many nodes get tags in one pass, so that other objects get their turn.
const maxTagged = 50

// lacking are the nodes of an object that lack a tag, by what they lack.
type lacking struct {
	// earlier are those of an earlier object of the same name, and lost those of its own
	// activations. Neither carry the tag by which access is granted.
	earlier, lost []string
	// unnamed carry that tag, and lack TagObject.
	unnamed []string
}

func (l lacking) all() []string {
	return distinct(slices.Concat(l.earlier, l.lost, l.unnamed))
}

// distinct leaves out what comes again, and keeps the order.
func distinct(ids []string) []string {
	var kept []string
	seen := map[string]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			kept = append(kept, id)
		}
	}
	return kept
}

// tagNodes gives nodes both tags where they lack one, those without access first.
func (s *scope) tagNodes(ctx context.Context, nodes []ssm.HybridNode, listing nodeListing) (leftOver, error) {
	known := s.names.of(s.Object.UID)
	lacks, err := s.unnamed(ctx, nodes, listing, known)
	for _, n := range nodes {
		if !listing.tagged[n.ID] {
			lacks.lost = append(lacks.lost, n.ID)
		}
	}
	all := lacks.all()
	batch, more := s.turns.next(turnsOf{string(s.Object.UID), "tag"}, all, maxTagged)
	done, failure := s.tagEach(ctx, batch, s.nodeTags())
	for _, id := range done {
		known.nodes[id] = true
	}
	s.Activations.tagged(s.place(), done...)
	s.recordTagged(lacks, done)
	return leftOver{len(all) - len(done), more}, errors.Join(err, failure)
}

// recordTagged records which nodes are reached again.
func (s *scope) recordTagged(lacks lacking, done []string) {
	isDone := func(id string) bool { return slices.Contains(done, id) }
	if i := slices.IndexFunc(lacks.earlier, isDone); i >= 0 {
		reconcile.RecordEvent(s.Recorder, s.Object, reconcile.Readyf(v1alpha1.ReasonRestored,
			"Node %s registered with an earlier HybridActivation %s/%s, and belongs to this one now; so do %d more.", lacks.earlier[i], s.Object.Namespace, s.Object.Name, count(lacks.earlier, isDone)-1))
	}
	lost := slices.DeleteFunc(slices.Clone(lacks.lost), func(id string) bool { return slices.Contains(lacks.earlier, id) })
	if i := slices.IndexFunc(lost, isDone); i >= 0 {
		reconcile.RecordEvent(s.Recorder, s.Object, reconcile.Readyf(v1alpha1.ReasonNodesTagged,
			"Node %s had lost tag %s, by which access to it is granted, and has it again; so have %d more.", lost[i], v1alpha1.TagActivation, count(lost, isDone)-1))
	}
}

func count(ids []string, counts func(string) bool) (n int) {
	for _, id := range ids {
		if counts(id) {
			n++
		}
	}
	return n
}

// tagEach gives tags to nodes, and returns those that have them. A node that cannot be tagged
// keeps no other from it.
func (s *scope) tagEach(ctx context.Context, ids []string, tags map[string]string) (tagged []string, _ error) {
	var failures []error
	for _, id := range ids {
		log.FromContext(ctx).Info("Tagging a node", "node", id)
		switch err := s.account.SSM(s.region()).TagNode(ctx, id, tags); {
		case ctx.Err() != nil:
			return tagged, errors.Join(append(failures, ctx.Err())...)
		case err != nil:
			failures = append(failures, err)
		default:
			tagged = append(tagged, id)
		}
	}
	return tagged, errors.Join(failures...)
}

// Access to nodes is granted by tag TagActivation, which holds the UID of their
// object. A restore gives the object another UID. Tag TagObject names the object
// by installation, namespace and name: by it the restored object finds the nodes
// and gives them its UID. No other object has that name, and no tenant can
// have the operator write the tag. Who may tag nodes in AWS can forge it, as
// they can forge TagActivation itself.

// nextNodes is how soon more nodes are tagged, so that other objects get their turn.
const nextNodes = time.Second

// identity is what the activations and nodes of an object carry.
type identity struct {
	// uid is the value of TagActivation.
	uid types.UID
	// object is the value of TagObject, which outlives a restore.
	object string
}

func (s *scope) identity() identity {
	return identity{s.Object.UID, accounts.ObjectTag(s.OwnerID, s.Object)}
}

// has reports whether tags are those of an activation of the object, or of an earlier
// object of its namespace and name.
func (i identity) has(tags map[string]string) bool {
	return tags[v1alpha1.TagActivation] == string(i.uid) || tags[v1alpha1.TagObject] == i.object
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
func (d desired) expected(a ssm.Activation) map[string]string {
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

// unnamed finds the nodes of the object that lack TagObject, and the nodes of an earlier
// object of the same name.
func (s *scope) unnamed(ctx context.Context, nodes []ssm.HybridNode, listing nodeListing, known *named) (lacking, error) {
	var unknown []string
	for _, n := range nodes {
		if !known.nodes[n.ID] && !s.Activations.carries(s.place(), n.ActivationID, s.desired.tags[v1alpha1.TagObject]) {
			unknown = append(unknown, n.ID)
		}
	}
	seek := listing.hasStrangers() && s.mayHaveEarlier(known, listing)
	if len(unknown) == 0 && !seek {
		return lacking{}, nil
	}
	carrying, err := s.account.SSM(s.desired.region).HybridNodesTagged(ctx, v1alpha1.TagObject, s.desired.tags[v1alpha1.TagObject])
	if err != nil {
		return lacking{}, err
	}
	var found lacking
	has := map[string]bool{}
	for _, n := range carrying {
		has[n.ID] = true
		if !listing.tagged[n.ID] {
			found.earlier = append(found.earlier, n.ID)
		}
	}
	for _, id := range unknown {
		if has[id] {
			known.nodes[id] = true
		} else {
			found.unnamed = append(found.unnamed, id)
		}
	}
	known.sought, known.found = listing.begun, len(found.earlier) > 0
	return found, nil
}

// mayHaveEarlier reports whether nodes of an earlier object may be found: once in
// each process, and at each list of nodes while the object is so young that it may
// have been restored a moment ago, or some were found that may still lack the tag.
func (s *scope) mayHaveEarlier(known *named, listing nodeListing) bool {
	if known.sought.IsZero() || known.found {
		return true
	}
	young := s.Clock.Now().Before(s.Object.CreationTimestamp.Add(accounts.RestoreWindow))
	return young && listing.begun.After(known.sought)
}

// carries reports whether an activation is known to carry a value of TagObject,
// which AWS then copied to its nodes.
func (l *ActivationCache) carries(p place, activation, value string) bool {
	r := l.at(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.activations[activation].Tags[v1alpha1.TagObject] == value
}

// hasStrangers reports whether some hybrid node of the region carries the tag of
// no object.
func (n nodeListing) hasStrangers() bool {
	for _, nodes := range n.byActivation {
		if slices.ContainsFunc(nodes, func(node ssm.HybridNode) bool { return !n.tagged[node.ID] }) {
			return true
		}
	}
	return false
}
