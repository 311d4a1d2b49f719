package invariants

import (
	"context"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// RemovePrincipal deletes a principal from IAM.
func (b *Bed) RemovePrincipal(p v1alpha1.Principal) error {
	return b.stir(b.Observer.RemovePrincipal(p))
}

// RenamePrincipal renames a principal of IAM.
func (b *Bed) RenamePrincipal(p v1alpha1.Principal, to string) error {
	return b.stir(b.Observer.RenamePrincipal(p, to))
}

// AddPrincipal makes a principal again under its name.
func (b *Bed) AddPrincipal(p v1alpha1.Principal) error {
	return b.stir(b.Observer.AddPrincipal(p))
}

// stir notes that IAM has changed, unless it has not.
func (b *Bed) stir(err error) error {
	b.Stirred = b.Stirred || err == nil
	return err
}

// reread waits until each manager has read all of IAM since it was changed. Until
// then it may know a principal by what was there before: docs/awsaccount.md.
func (b *Bed) reread(ctx context.Context) error {
	if !b.Stirred {
		return nil
	}
	const twice = 2 // The first may have begun before.
	seen := b.LastCall()
	for ctx.Err() == nil && b.bulkReads(seen) < twice*b.Observer.Leaders() {
		if err := b.resync(ctx); err != nil {
			return err
		}
	}
	b.Stirred = false
	return ctx.Err()
}

// bulkReads counts the reads of all of IAM that were answered after a call.
func (b *Bed) bulkReads(seen int) int {
	n := 0
	for _, c := range b.Emulator.CallLog(seen) {
		if c.Operation == "GetAccountAuthorizationDetails" && c.Done && c.Code == "" {
			n++
		}
	}
	return n
}
