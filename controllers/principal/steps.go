package principal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// action is what one step does to a policy of this operator.
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
	entity iam.Principal
	// narrows: access may go with this step.
	narrows bool
	// narrowing is the part of the step that takes access and gives none: what is
	// done in its place after another narrowing failed. Nil where there is none.
	narrowing *step
}

// only makes a step of one that takes access and gives none.
func only(s step) step {
	s.narrows = true
	part := s
	s.narrowing = &part
	return s
}

// same reports whether two steps do the same.
func (s step) same(t step) bool {
	return s.action == t.action && s.policy == t.policy && s.document == t.document && s.entity == t.entity
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
	held map[int]iam.PolicyView
	// complete: it is proven that IAM holds no further shard.
	complete bool
	plan     policy.Plan
	// attachTo is the principal in IAM; nil for a permission set, to which
	// Identity Center attaches by itself.
	attachTo *iam.Principal
	// revoking: what is not proven gone is deleted again.
	revoking bool
}

// stepsFor lists the steps in a safe order. The first only narrow: deletions that the
// compiler does not plan, then detachments from principals that no grant names, and
// documents that a revocation writes again for proof. The compiler's writes follow in its
// order, deletions among them: a policy whose content moves is emptied after the one that
// takes it. The attachments to the principal come last.
func stepsFor(s situation) []step {
	steps := s.removals()
	for _, shard := range s.wantedShards() {
		steps = append(steps, s.narrowings(shard)...)
	}
	created := map[int]bool{}
	for _, w := range s.plan.Writes {
		steps = append(steps, s.write(w, created[w.Shard])...)
		created[w.Shard] = true
	}
	for _, shard := range s.wantedShards() {
		steps = append(steps, s.attachment(shard)...)
	}
	return steps
}

func (s situation) wantedShards() []int {
	var shards []int
	for i, document := range s.plan.Documents {
		if document != "" {
			shards = append(shards, i+1)
		}
	}
	return shards
}

// wanted reports whether a shard is desired.
func (s situation) wanted(shard int) bool {
	return shard <= len(s.plan.Documents) && s.plan.Documents[shard-1] != ""
}

// removals deletes the policies that are not desired and that the compiler does not
// write, because their documents are not known or not proven gone.
func (s situation) removals() []step {
	written := map[int]bool{}
	for _, w := range s.plan.Writes {
		written[w.Shard] = true
	}
	var steps []step
	for _, shard := range sortedShards(s.held) {
		view := s.held[shard]
		doubtful := view.Presence != iam.Absent || (s.revoking && !view.Gone())
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
		return []step{only(step{action: deletePolicy, policy: s.name(shard)})}
	}
	if view.Document == policy.Nothing && (view.DocumentProven || !s.revoking) {
		return nil
	}
	return []step{only(step{action: putDocument, policy: s.name(shard), document: policy.Nothing})}
}

// write carries out one write of the compiler. written says that an earlier step
// has written the policy.
func (s situation) write(w policy.Write, written bool) []step {
	if w.Document == "" {
		return s.emptied(w.Shard, written)
	}
	out := step{
		action: createPolicy, policy: s.name(w.Shard), document: w.Document,
		narrows: w.Narrows || s.mayHoldMore(w.Shard),
	}
	if written || s.held[w.Shard].Presence == iam.Present {
		out.action = putDocument
	}
	if !written {
		out.narrowing = s.cut(w.Shard)
	}
	return []step{out}
}

// emptied removes a shard by a write of the compiler. What it holds and is wanted
// has moved to another shard, unless an earlier step failed: then it stays.
func (s situation) emptied(shard int, written bool) []step {
	steps := s.remove(shard)
	kept, cut := s.plan.Cuts[shard]
	for i := range steps {
		switch {
		case written || (!cut && !s.mayHoldMore(shard)):
			steps[i].narrowing = nil
		case kept != "":
			steps[i].narrowing = s.cut(shard)
		}
	}
	return steps
}

// cut is the step that takes from a shard what is not wanted and adds nothing;
// nil where it holds nothing else. Of a shard that may hold what is not known,
// nothing can be kept.
func (s situation) cut(shard int) *step {
	document, ok := s.plan.Cuts[shard]
	if !ok && !s.mayHoldMore(shard) {
		return nil
	}
	if !ok && s.held[shard].Presence == iam.Present && s.held[shard].Document != "" {
		document = s.held[shard].Document // All of it is wanted, and it is written for proof.
	}
	if document == "" {
		document = policy.Nothing
	}
	cut := only(step{action: putDocument, policy: s.name(shard), document: document})
	if s.held[shard].Presence != iam.Present {
		cut = only(step{action: deletePolicy, policy: s.name(shard)})
	}
	return &cut
}

// mayHoldMore reports whether a shard may hold what is not known, so that writing
// it may take something away.
func (s situation) mayHoldMore(shard int) bool {
	view, known := s.held[shard]
	if !known {
		return s.revoking && !s.complete
	}
	unread := view.Presence != iam.Absent && view.Document == ""
	return unread || (s.revoking && !view.Gone() && !view.DocumentProven)
}

// narrowings detaches a shard from everybody but its principal, and writes its
// document again where a revocation needs proof of it.
func (s situation) narrowings(shard int) []step {
	var steps []step
	view := s.held[shard]
	if s.attachTo != nil {
		for _, entity := range view.AttachedTo() {
			if entity.Key() != s.attachTo.Key() {
				steps = append(steps, only(step{action: detachPolicy, policy: s.name(shard), entity: entity}))
			}
		}
	}
	written := slices.ContainsFunc(s.plan.Writes, func(w policy.Write) bool { return w.Shard == shard })
	if s.revoking && !written && !view.DocumentProven {
		steps = append(steps, s.write(policy.Write{Shard: shard, Document: s.plan.Documents[shard-1], Narrows: true}, false)...)
	}
	return steps
}

// attachment attaches a shard to its principal.
func (s situation) attachment(shard int) []step {
	if s.attachTo == nil {
		return nil
	}
	if presence, _ := s.held[shard].Attachment(*s.attachTo); presence == iam.Present {
		return nil
	}
	return []step{{action: attachPolicy, policy: s.name(shard), entity: *s.attachTo}}
}

func sortedShards(held map[int]iam.PolicyView) []int {
	shards := make([]int, 0, len(held))
	for shard := range held {
		shards = append(shards, shard)
	}
	slices.Sort(shards)
	return shards
}
