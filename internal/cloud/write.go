package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// writer writes to one of the operator's policies while it holds the policy's
// lock.
type writer struct {
	account *Account
	client  *iam.Client
	name    string
	arn     string
}

// write runs do with a writer for the policy. Every write passes through it, so
// that it can reject writes to policies that the operator does not own.
func (a *Account) write(ctx context.Context, name string, do func(*writer) error) error {
	if !a.ownership.ownsName(name) {
		return &NotOursError{Name: name}
	}
	unlock, err := a.writes.lock(ctx, nameKey(name))
	if err != nil {
		return a.explain(err, "waiting for another write to policy %q", name)
	}
	defer unlock()
	client, err := a.iam(ctx)
	if err != nil {
		return err
	}
	return do(&writer{account: a, client: client, name: name, arn: a.mirror.ARN(name)})
}

// send makes one write and returns its possible effect.
func (w *writer) send(call func(watched func(*iam.Options)) error) (outcome, error) {
	var e effect
	o := outcome{began: w.account.mirror.now()}
	err := call(e.option)
	o.ended, o.acked, o.doubtful = w.account.mirror.now(), err == nil, e.doubtful
	return o, err
}

// note writes an outcome through to the mirror, unless the write certainly had
// no effect.
func (w *writer) note(o outcome, change func(*policy)) {
	if o.acked || o.doubtful {
		w.account.mirror.record(w.name, change)
	}
}

// known is what the mirror holds of the policy.
func (w *writer) known() policy { return w.account.mirror.peek(w.name) }

// look reads the policy into the mirror again.
func (w *writer) look(ctx context.Context) error {
	return w.account.readPolicy(ctx, w.client, w.name)
}

// gone explains a NoSuchEntity about the policy itself: either IAM does not show yet
// what this process has just created, or someone else deleted the policy.
func (w *writer) gone(ctx context.Context) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	if w.known().presence == Absent {
		return &PolicyGoneError{Name: w.name}
	}
	return &SettlingError{Name: w.name}
}
