package principal

import (
	"errors"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// maxFits bounds how often the grants of a principal are compiled to find out which
// of them fit. Once takes some milliseconds with many of them.
const maxFits = 20

// fitting compiles grants, the oldest first. Where all of them do not fit, those that
// lack something are cut to what IAM holds of them, and then taken in whole, one after
// the other, as long as they fit: one that is too large keeps no other out. The error
// names those that stay cut.
func (w *work) fitting(all []policy.Grant) (policy.Plan, error) {
	plan, err := w.compileThese(all)
	large, ok := errors.AsType[*policy.TooLargeError](err)
	if !ok {
		return plan, err
	}
	lacking := func(g policy.Grant) bool { return slices.Contains(large.Grants, g.ID) }
	fits := make([]policy.Grant, 0, len(all))
	for _, g := range all {
		if lacking(g) {
			g = heldPart(w.heldDocuments(), g)
		}
		fits = append(fits, g)
	}
	best, failure := w.compileThese(withTargets(fits))
	if tooLarge(failure) != nil {
		return plan, err // What is held and still wanted does not fit: nothing can be added.
	}
	var out []error
	for i, tries := 0, 0; i < len(all); i++ {
		if !lacking(all[i]) {
			continue
		}
		cut := fits[i]
		fits[i] = all[i]
		refusal := large
		if tries++; tries <= maxFits {
			next, problem := w.compileThese(withTargets(fits))
			if refusal = tooLarge(problem); refusal == nil {
				best, failure = next, problem
				continue
			}
		}
		fits[i] = cut
		alone := *refusal
		alone.Grants = []string{cut.ID}
		out = append(out, &alone)
	}
	return best, errors.Join(append(joined(failure), out...)...)
}

func (w *work) compileThese(grants []policy.Grant) (policy.Plan, error) {
	return policy.Compile(policy.Account{ID: w.account.AccountID, Partition: w.account.Partition},
		w.compiled(), grants, w.heldDocuments(), w.quotas(), w.Clock.Now())
}

func tooLarge(err error) *policy.TooLargeError {
	large, _ := errors.AsType[*policy.TooLargeError](err)
	return large
}

// withTargets leaves out the grants that have no targets.
func withTargets(grants []policy.Grant) []policy.Grant {
	return slices.DeleteFunc(slices.Clone(grants), func(g policy.Grant) bool { return len(g.Targets) == 0 })
}

// heldPart is a grant on those of its targets that documents may hold.
func heldPart(documents []string, g policy.Grant) policy.Grant {
	holds := func(t policy.Target, id string) bool {
		return slices.ContainsFunc(documents, func(document string) bool { return document != "" && policy.MayHold(document, t, id) })
	}
	var targets []policy.Target
	for _, t := range g.Targets {
		if len(t.InstanceIDs) == 0 {
			if holds(t, "") {
				targets = append(targets, t)
			}
			continue
		}
		t.InstanceIDs = slices.DeleteFunc(slices.Clone(t.InstanceIDs), func(id string) bool { return !holds(t, id) })
		if len(t.InstanceIDs) > 0 {
			targets = append(targets, t)
		}
	}
	g.Targets = targets
	return g
}
