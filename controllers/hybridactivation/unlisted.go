package hybridactivation

import (
	"context"
	"errors"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// unlisted is the result while AWS does not list activations. The status names the
// activation, so it is deleted all the same where it allows more than is declared and
// allowed, and its code with it.
func (s *scope) unlisted(ctx context.Context, cause error) (reconcile.Result, error) {
	if s.isObserving || s.Object.Status.Record == nil {
		return s.failedBefore(ctx, cause)
	}
	if s.isUndeclared() {
		return s.failedBefore(ctx, errors.Join(cause, s.takeBack(ctx, nil)))
	}
	return s.failedBefore(ctx, errors.Join(cause, s.endGrace(ctx)))
}

// endGrace deletes the replaced activations whose grace is over.
func (s *scope) endGrace(ctx context.Context) error {
	var over []string
	for _, p := range s.Object.Status.Record.Previous {
		if !s.Clock.Now().Before(p.RemoveAt.Time) {
			over = append(over, p.ID)
		}
	}
	return s.removeAll(ctx, over)
}

// isUndeclared reports whether the activation that the status names allows more than is
// declared and allowed, as far as that is known without a list: by what this process saw of it
// last, for it never changes but for who registered, or else by the status.
func (s *scope) isUndeclared() bool {
	r, status := s.Activations.at(s.place()), &s.Object.Status
	a, isKnown := r.last(status.ActivationID)
	if !isKnown {
		return s.desired.exceededBy(status, s.Clock.Now())
	}
	if why, isNarrower := s.desired.difference(a, v1alpha1.ActivationRequest{}); why != "" && isNarrower {
		return true
	}
	nodes, ok := r.machinesOf(s.Object.UID)
	if s.desired.most == 0 || !ok {
		return false
	}
	p := places{most: s.desired.most, wanted: s.desired.limit, nodes: countByActivation(nodes.nodes)}
	return p.registered()+free(a, p, s.Clock.Now()) > p.most
}

// exceededBy reports whether an activation that a status shows lets in more machines than
// declared, or for longer than one that is made now would.
func (d desired) exceededBy(status *v1alpha1.HybridActivationStatus, now time.Time) bool {
	limit, expires := status.RegistrationLimit, status.ExpiresAt
	return limit != nil && *limit > d.limit || expires != nil && expires.After(now.Add(d.validity+validitySlack))
}

// last is an activation as it was listed or made last.
func (r *regionListing) last(id string) (ssm.Activation, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.activations[id]
	return a, ok
}
