package policy

import (
	"errors"
	"slices"
	"time"
)

// maxFits bounds how often the grants of a principal are compiled to find out which
// of them fit. Once takes some milliseconds with many of them.
const maxFits = 20

// Fit compiles grants as [Compile] does, the oldest first. Where all of them do not fit,
// those that lack something are cut to what is held of them, and then taken in whole, one
// after the other, as long as they fit: one that is too large keeps no other out. The error
// names those that stay cut.
func Fit(acct Account, p Principal, grants []Grant, held []string, q Quotas, now time.Time) (Plan, error) {
	compile := func(these []Grant) (Plan, error) { return Compile(acct, p, these, held, q, now) }
	plan, err := compile(grants)
	large := tooLarge(err)
	if large == nil {
		return plan, err
	}
	lacking := func(g Grant) bool { return slices.Contains(large.Grants, g.ID) }
	fits := make([]Grant, 0, len(grants))
	for _, g := range grants {
		if lacking(g) {
			g = heldPart(held, g)
		}
		fits = append(fits, g)
	}
	best, failure := compile(withTargets(fits))
	if tooLarge(failure) != nil {
		return plan, err // What is held and still wanted does not fit: nothing can be added.
	}
	var out []error
	for i, tries := 0, 0; i < len(grants); i++ {
		if !lacking(grants[i]) {
			continue
		}
		cut := fits[i]
		fits[i] = grants[i]
		refusal := large
		if tries++; tries <= maxFits {
			next, problem := compile(withTargets(fits))
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
	return best, errors.Join(append(joinedIn(failure), out...)...)
}

func tooLarge(err error) *TooLargeError {
	large, _ := errors.AsType[*TooLargeError](err)
	return large
}

// withTargets leaves out the grants that have no targets.
func withTargets(grants []Grant) []Grant {
	return slices.DeleteFunc(slices.Clone(grants), func(g Grant) bool { return len(g.Targets) == 0 })
}

// heldPart is a grant on those of its targets that documents may hold.
func heldPart(documents []string, g Grant) Grant {
	holds := func(t Target, id string) bool {
		return slices.ContainsFunc(documents, func(document string) bool { return document != "" && MayHold(document, t, id) })
	}
	var targets []Target
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
