package invariants

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
)

// SecondRegion has none of the nodes. What fails there must delay nothing in the
// region that has them.
const SecondRegion = "eu-west-1"

// trouble is something that AWS fails at until the next rest.
type trouble struct {
	fault string
	// region is where no session can be listed or ended; session is one that cannot
	// be ended. One of them is set.
	region, session string
}

// FailRegion has SSM fail in a region until the next rest, as the fault says.
func (h *Harness) FailRegion(region string, f faults.Fault) error {
	f.Region = region
	return h.trouble(f, trouble{region: region})
}

// HoldSession keeps one of the open sessions from being ended until the next rest:
// the n-th, counted on from the first where there are fewer. It reports whether there
// is one.
func (h *Harness) HoldSession(n int) (bool, error) {
	open := h.Observer.open()
	if len(open) == 0 {
		return false, nil
	}
	id := open[n%len(open)]
	f := faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession", Parameter: id}
	return true, h.trouble(f, trouble{session: id})
}

func (h *Harness) trouble(f faults.Fault, t trouble) error {
	id, err := h.Emulator.Inject(f)
	if err != nil {
		return fmt.Errorf("have AWS fail: %w", err)
	}
	t.fault = id
	h.troubles = append(h.troubles, t)
	return nil
}

// heal ends the troubles, once they have delayed nothing else: sessions that nothing
// covers any more have ended wherever AWS does not fail.
func (h *Harness) heal(ctx context.Context) error {
	if len(h.troubles) == 0 {
		return nil
	}
	err := h.endElsewhere(ctx)
	for _, t := range h.troubles {
		h.Emulator.RemoveFault(t.fault)
	}
	h.troubles = nil
	return err
}

func (h *Harness) endElsewhere(ctx context.Context) error {
	for {
		late := h.Observer.overdue(func(id string) bool {
			return slices.ContainsFunc(h.troubles, func(t trouble) bool { return t.region == h.Domain.Region || t.session == id })
		})
		if len(late) == 0 {
			return nil
		}
		objects, changed := h.watcher.look()
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("while AWS fails at something else (%w):\n  %s\n%s", ctx.Err(), strings.Join(late, "\n  "), dump(objects)), h.Observer.Holds())
		}
		if stirs(ctx, changed) {
			continue
		}
		if err := h.jump(ctx, objects); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// open are the ids of the sessions that are open.
func (o *Observer) open() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var open []string
	for id := range o.sessions {
		if !o.over(id) {
			open = append(open, id)
		}
	}
	slices.Sort(open)
	return open
}

// overdue lists the open sessions that nothing covers any more, except those that are
// spared.
func (o *Observer) overdue(spared func(id string) bool) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.facts.Observe {
		return nil // No session is ended.
	}
	o.keepSessions()
	var late []string
	for id, s := range o.sessions {
		if !o.over(id) && !spared(id) && o.uncovered(s) {
			late = append(late, s.String()+" is open, and nothing declares it any more")
		}
	}
	slices.Sort(late)
	return late
}
