package invariants

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// Code is the id and the code in a Secret, with which machines register; the
// zero value when there is no such Secret.
type Code struct{ ID, Code string }

// activation is what a HybridActivation declares. The description identifies
// those in AWS: every declaration puts its own name there.
type activation struct {
	limit int32
	// since are all limits declared since the last rest.
	since []int32
	// declared is false once the object was deleted.
	declared bool
	// maybe: it may have been refused.
	maybe bool
	// left: the object was deleted before the operator saw it.
	left bool
	// bounded: it may let in fewer machines than are declared, because a guardrail
	// bounded those of the object since the last rest.
	bounded bool
	// crowded is since when more are alive than one leader makes; zero if there are
	// not.
	crowded time.Time
}

// aliveAtOnce is how many activations of one object may be alive: the present one
// and the one that it replaced.
const aliveAtOnce = 2

// crowdedFor is how long more of them may be alive while two managers lead. Each
// may make one where it has not read of the other's, and the next resync finds that
// one of them is in no record.
const crowdedFor = 2 * resyncEvery * window

// DeclareActivation must be called before a HybridActivation is written.
func (o *Observer) DeclareActivation(description string, limit int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.activations[description]
	if a == nil {
		a = &activation{}
		o.activations[description] = a
	}
	a.limit, a.declared, a.left, a.since = limit, true, false, append(a.since, limit)
}

// MayDeclareActivation is DeclareActivation for one that the operator may refuse.
func (o *Observer) MayDeclareActivation(description string, limit int32) {
	o.DeclareActivation(description, limit)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.activations[description].maybe = true
}

// WithdrawActivation must be called when a HybridActivation was deleted.
func (o *Observer) WithdrawActivation(description string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if a := o.activations[description]; a != nil {
		a.declared = false
	}
}

// Managers must be called before more than one leads.
func (o *Observer) Managers(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.managers = n
}

// Leaders is how many managers lead.
func (o *Observer) Leaders() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.managers
}

// changedActivations judges the activations at any moment. The lock is held.
func (o *Observer) changedActivations() {
	alive := map[string]int{}
	for a := range o.ssm().Activations() {
		o.codes[a.Code] = true
		declared := o.activations[a.Description]
		if declared == nil {
			continue
		}
		alive[a.Description]++
		if !slices.Contains(declared.since, a.Limit) && (!declared.bounded || a.Limit > slices.Max(declared.since)) {
			o.violated("activation %s lets %d machines register, which nobody has declared since the last rest", a.Description, a.Limit)
		}
	}
	for description, declared := range o.activations {
		o.crowded(description, declared, alive[description])
	}
	if foreign := o.foreignActivations(); foreign != o.foreignActs {
		o.violated("an activation of others was changed: they were %s and are %s", o.foreignActs, foreign)
	}
}

// crowded judges how many activations of an object are alive. One leader never has
// more than two; of each other one there may be as many for a while.
func (o *Observer) crowded(description string, a *activation, alive int) {
	now := o.server.Now()
	if alive <= aliveAtOnce {
		if !a.crowded.IsZero() {
			o.longest = max(o.longest, now.Sub(a.crowded))
		}
		a.crowded = time.Time{}
		return
	}
	if a.crowded.IsZero() {
		a.crowded = now
	}
	if alive > aliveAtOnce*o.managers {
		o.violated("%d activations of %s are alive at once", alive, description)
	}
	if o.longest = max(o.longest, now.Sub(a.crowded)); now.Sub(a.crowded) > crowdedFor {
		o.violated("%d activations of %s are alive for more than %s", alive, description, crowdedFor)
	}
}

// Crowded is for how long more than two activations of an object were alive.
func (o *Observer) Crowded() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.longest
}

// judgeActivations judges them at rest. stored is what the Secrets hold, by the
// descriptions of what is declared. The lock is held.
func (o *Observer) judgeActivations(stored map[string]Code) {
	o.judgeMachines()
	for description, declared := range o.activations {
		code := stored[description]
		if n := o.countActivations(description); n > aliveAtOnce {
			o.violated("at rest %d activations of %s are alive", n, description)
		}
		switch a, ok := o.ssm().Activation(code.ID); {
		case declared.maybe && declared.declared, declared.left:
		case !declared.declared && code != Code{}:
			o.violated("at rest a Secret of %s is left, and nobody declares it", description)
		case !declared.declared:
			if n := o.countActivations(description); n > 0 {
				o.violated("at rest %d activations of %s are left, and nobody declares it", n, description)
			}
		case !ok || a.Description != description:
			o.violated("at rest the Secret of %s names activation %q, which is none of its", description, code.ID)
		case a.Code != code.Code || a.Limit != declared.limit:
			o.violated("at rest the activation of %s lets %d machines register and not %d, or its code is not the Secret's", description, a.Limit, declared.limit)
		}
		declared.since, declared.bounded = []int32{declared.limit}, declared.maybe
		for a := range o.ssm().Activations() {
			if a.Description == description {
				declared.since = append(declared.since, a.Limit) // The one that was replaced stays for a while.
			}
		}
	}
}

func (o *Observer) countActivations(description string) int {
	n := 0
	for a := range o.ssm().Activations() {
		if a.Description == description {
			n++
		}
	}
	return n
}

// foreignActivations is everything about activations that no object declares.
func (o *Observer) foreignActivations() string {
	var text strings.Builder
	for a := range o.ssm().Activations() {
		if o.activations[a.Description] == nil {
			fmt.Fprintf(&text, "%+v; ", *a)
		}
	}
	return text.String()
}

// Register registers a machine with what the Secret of a HybridActivation holds.
func (o *Observer) Register(description string, code Code) error {
	id, err := o.server.Register(ssm.Registration{ActivationID: code.ID, ActivationCode: code.Code})
	if err != nil {
		return fmt.Errorf("register a machine: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.registered[id] = description
	return nil
}

// judgeMachines checks that those are gone whose HybridActivation is, and no
// others. The lock is held.
func (o *Observer) judgeMachines() {
	fleet := o.server.Account(o.domain.AccountID).Region(o.domain.Region).Fleet
	for id, description := range o.registered {
		_, ok := fleet.Node(id)
		if declared := o.activations[description].declared; ok != declared {
			o.violated("at rest node %s of %s is registered: %t; declared: %t", id, description, ok, declared)
		}
		if !ok {
			delete(o.registered, id) // It does not come back.
		}
	}
}
