package invariants

import (
	"context"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// RemovePrincipal deletes a principal from IAM.
func (h *Harness) RemovePrincipal(p v1alpha1.Principal) error {
	return h.stir(h.Observer.RemovePrincipal(p))
}

// RenamePrincipal renames a principal of IAM.
func (h *Harness) RenamePrincipal(p v1alpha1.Principal, to string) error {
	return h.stir(h.Observer.RenamePrincipal(p, to))
}

// AddPrincipal makes a principal again under its name.
func (h *Harness) AddPrincipal(p v1alpha1.Principal) error {
	return h.stir(h.Observer.AddPrincipal(p))
}

// stir notes that IAM has changed, unless it has not.
func (h *Harness) stir(err error) error {
	h.Stirred = h.Stirred || err == nil
	return err
}

// reread waits until each manager has read all of IAM since it was changed. Until
// then it may know a principal by what was there before: docs/awsaccount.md.
func (h *Harness) reread(ctx context.Context) error {
	if !h.Stirred {
		return nil
	}
	const twice = 2 // The first may have begun before.
	seen := h.LastCall()
	for ctx.Err() == nil && h.bulkReads(seen) < twice*h.Observer.Leaders() {
		if err := h.resync(ctx); err != nil {
			return err
		}
	}
	h.Stirred = false
	return ctx.Err()
}

// bulkReads counts the reads of all of IAM that were answered after a call.
func (h *Harness) bulkReads(seen int) int {
	n := 0
	for _, c := range h.Emulator.CallLog(seen) {
		if c.Operation == "GetAccountAuthorizationDetails" && c.Done && c.Code == "" {
			n++
		}
	}
	return n
}
