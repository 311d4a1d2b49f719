package invariants

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

// state is IAM's, as it was written last.
func (o *Observer) state() *iam.State { return o.server.Account(o.domain.AccountID).IAM.Latest() }

// Judge holds AWS against the declarations, which must be at rest, and forgets
// what was declared before. stored is what the Secrets of activations hold. The error lists every invariant that was broken, at
// this rest or since the last.
func (o *Observer) Judge(stored map[string]Code) error {
	writes := o.server.Calls().Writes
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rested()
	if o.facts.Observe {
		o.judgeObserved(writes)
		return o.verdict()
	}
	o.written = -1
	state, present := o.state(), o.present()
	certain := slices.DeleteFunc(slices.Clone(present), func(g Grant) bool { return !g.Certain })
	for _, q := range o.ask() {
		switch may := o.may(state, q); {
		case may && !allowed(present, q, margin):
			o.violated("at rest %s may use %s with %s (MFA %t, from %s), which is not declared", q.Person.ARN, q.Node.ID, q.Document, q.MFA, q.From)
		case !may && allowed(certain, q, -margin):
			o.violated("at rest %s may not use %s with %s (MFA %t, from %s), which is declared", q.Person.ARN, q.Node.ID, q.Document, q.MFA, q.From)
		}
	}
	for _, left := range o.residue(state) {
		o.violated("at rest %s", left)
	}
	o.judgeSessions()
	o.judgeFederated()
	o.judgeDocuments()
	o.judgeActivations(stored)
	return o.verdict()
}

// judgeObserved checks that nothing is written in mode Observe. What there is may
// be anything that was declared since the last rest in mode Enforce, which is
// checked at every state. The lock is held.
func (o *Observer) judgeObserved(writes int) {
	if o.written < 0 {
		o.written = writes
	}
	if o.written != writes {
		o.violated("%d calls wrote to AWS in mode Observe", writes-o.written)
	}
}

// Holds checks what must be true at any moment: that nothing was broken so far.
func (o *Observer) Holds() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.verdict()
}

func (o *Observer) verdict() error {
	if len(o.broken) == 0 {
		return nil
	}
	return fmt.Errorf("%d invariants are broken:\n  %s", len(o.broken), strings.Join(o.broken, "\n  "))
}
