package principal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// action is what one step does to a policy of ours.
type action int

const (
	createPolicy action = iota
	putDocument
	attachPolicy
	detachPolicy
	deletePolicy
)

// step is one thing to do in IAM.
type step struct {
	action   action
	policy   string
	document string
	// entity to attach to or detach from.
	entity cloud.Principal
	// narrows: access may go with this step.
	narrows bool
}

// String says what the step does, for mode Observe.
func (s step) String() string {
	switch s.action {
	case createPolicy:
		return fmt.Sprintf("create policy %s", s.policy)
	case putDocument:
		return fmt.Sprintf("change policy %s", s.policy)
	case attachPolicy:
		return fmt.Sprintf("attach it to %s %s", strings.ToLower(string(s.entity.Kind)), s.entity.Name)
	case detachPolicy:
		return fmt.Sprintf("detach policy %s from %s %s", s.policy, strings.ToLower(string(s.entity.Kind)), s.entity.Name)
	default:
		return fmt.Sprintf("detach and delete policy %s", s.policy)
	}
}

// situation is everything that decides the steps of one principal.
type situation struct {
	// name computes the name of a shard's policy.
	name func(shard int) string
	// held is what IAM holds by shard, as far as it is known.
	held map[int]cloud.PolicyView
	// complete: it is proven that IAM holds no further shard.
	complete bool
	plan     policy.Plan
	// attachTo is the principal in IAM; nil for a permission set, to which
	// Identity Center attaches by itself.
	attachTo *cloud.Principal
	// revoking: what is not proven gone is taken away again.
	revoking bool
}

// stepsFor lists what is to be done, in a safe order: policies that nobody
// declares go first, then the compiler's writes in its order, then attachments.
func stepsFor(s situation) []step {
	steps := s.removals()
	created := map[int]bool{}
	for _, w := range s.plan.Writes {
		steps = append(steps, s.write(w, created[w.Shard])...)
		created[w.Shard] = true
	}
	for shard := 1; shard <= len(s.plan.Documents); shard++ {
		if s.plan.Documents[shard-1] != "" {
			steps = append(steps, s.upkeep(shard)...)
		}
	}
	return steps
}

// wanted says whether a shard shall exist.
func (s situation) wanted(shard int) bool {
	return shard <= len(s.plan.Documents) && s.plan.Documents[shard-1] != ""
}

// removals deletes what shall not exist and has no write of the compiler,
// because its document is not known, or not proven gone.
func (s situation) removals() []step {
	written := map[int]bool{}
	for _, w := range s.plan.Writes {
		written[w.Shard] = true
	}
	var steps []step
	for _, shard := range sortedShards(s.held) {
		view := s.held[shard]
		doubtful := view.Presence != cloud.Absent || (s.revoking && !view.Gone())
		if !s.wanted(shard) && !written[shard] && doubtful {
			steps = append(steps, s.remove(shard)...)
		}
	}
	if _, known := s.held[1]; !known && s.revoking && !s.complete && !s.wanted(1) {
		steps = append(steps, s.remove(1)...)
	}
	return steps
}

// remove deletes a shard. The policy of a permission set that is in use cannot
// be deleted without breaking the permission set: it is left, allowing nothing.
func (s situation) remove(shard int) []step {
	view := s.held[shard]
	if s.attachTo != nil || len(view.AttachedTo()) == 0 {
		return []step{{action: deletePolicy, policy: s.name(shard), narrows: true}}
	}
	if view.Document == policy.Nothing && (view.DocumentProven || !s.revoking) {
		return nil
	}
	return []step{{action: putDocument, policy: s.name(shard), document: policy.Nothing, narrows: true}}
}

// write carries out one write of the compiler. exists says that an earlier step
// has created the policy.
func (s situation) write(w policy.Write, exists bool) []step {
	if w.Document == "" {
		return s.remove(w.Shard)
	}
	narrows := w.Narrows || s.mayHoldMore(w.Shard)
	if exists || s.held[w.Shard].Presence == cloud.Present {
		return []step{{action: putDocument, policy: s.name(w.Shard), document: w.Document, narrows: narrows}}
	}
	return []step{{action: createPolicy, policy: s.name(w.Shard), document: w.Document, narrows: narrows}}
}

// mayHoldMore says whether a shard may hold what is not known, so that writing
// it may take something away.
func (s situation) mayHoldMore(shard int) bool {
	view, known := s.held[shard]
	if !known {
		return s.revoking && !s.complete
	}
	unread := view.Presence != cloud.Absent && view.Document == ""
	return unread || (s.revoking && !view.Gone() && !view.DocumentProven)
}

// upkeep attaches a shard to its principal and to nobody else, and writes its
// document again where a revocation needs proof of it.
func (s situation) upkeep(shard int) []step {
	var steps []step
	view := s.held[shard]
	written := slices.ContainsFunc(s.plan.Writes, func(w policy.Write) bool { return w.Shard == shard })
	if s.revoking && !written && !view.DocumentProven {
		steps = append(steps, s.write(policy.Write{Shard: shard, Document: s.plan.Documents[shard-1], Narrows: true}, false)...)
	}
	if s.attachTo == nil {
		return steps
	}
	if presence, _ := view.Attachment(*s.attachTo); presence != cloud.Present {
		steps = append(steps, step{action: attachPolicy, policy: s.name(shard), entity: *s.attachTo})
	}
	for _, entity := range view.AttachedTo() {
		if entity.Key() != s.attachTo.Key() {
			steps = append(steps, step{action: detachPolicy, policy: s.name(shard), entity: entity, narrows: true})
		}
	}
	return steps
}

func sortedShards(held map[int]cloud.PolicyView) []int {
	shards := make([]int, 0, len(held))
	for shard := range held {
		shards = append(shards, shard)
	}
	slices.Sort(shards)
	return shards
}
