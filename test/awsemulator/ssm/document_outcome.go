package ssm

import (
	"time"
)

// Outcome is how the creation of a document, or of a version of one, proceeds
// after the call.
type Outcome struct {
	// Takes is how long it stays in Creating or Updating.
	Takes time.Duration
	// Fails is the StatusInformation of the Failed that comes then; empty for
	// Active.
	Fails string
	// Deletes makes the outcome that of a deletion, which cannot fail.
	Deletes bool
}

// NextDocument decides on the next creation or update of a document, or on the
// next deletion, in this region. Each outcome serves once, in their order;
// without one documents are made and deleted at once.
func (r *Region) NextDocument(o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes = append(r.outcomes, o)
}

// nextOutcome takes the outcome of a creation or an update.
func (r *Region) nextOutcome() Outcome { return r.takeOutcome(false) }

// takeDeletion takes the time of a deletion.
func (r *Region) takeDeletion() time.Duration { return r.takeOutcome(true).Takes }

func (r *Region) takeOutcome(deletes bool) Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, o := range r.outcomes {
		if o.Deletes == deletes {
			r.outcomes = append(r.outcomes[:i:i], r.outcomes[i+1:]...)
			return o
		}
	}
	return Outcome{}
}

// bearOn makes a version that is being made turn out this way.
func (o Outcome) bearOn(v *DocumentVersion) {
	v.ready, v.failure = v.Created.Add(o.Takes), o.Fails
}
