package ssm

import (
	"errors"
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

const (
	testAccount = emulated.AccountID
	testOwner   = emulated.OwnerID
	testRegion  = emulated.Region
)

// world is an emulated AWS with Systems Manager of one of its regions.
type world struct {
	t       *testing.T
	aws     *awsemulator.Server
	account *awsclient.Account
	region  Region

	emulated.Calls
}

// option changes the pool's options before the pool is made.
type option func(*awsclient.Options)

func newWorldOf(t *testing.T, fixture *fixtures.Fixture, options ...option) *world {
	t.Helper()
	w := &world{t: t}
	server, base := emulated.Start(t, fixture)
	o := awsclient.Options{Base: base, OwnerID: testOwner, Rate: 1e6, Burst: 1e6, OnCall: w.Note}
	for _, change := range options {
		change(&o)
	}
	w.aws = server
	w.account = awsclient.NewPool(o).Account(awsclient.Config{AccountID: testAccount, Region: testRegion})
	w.region = In(w.account, testRegion)
	return w
}

func (w *world) wantCalls(want ...string) {
	w.t.Helper()
	if got := w.Operations(); !slices.Equal(got, want) {
		w.t.Fatalf("called %v, want %v", got, want)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// strike has the next matching calls fail.
func (w *world) strike(kind faults.Kind, action string, count int) {
	w.t.Helper()
	_, err := w.aws.Inject(faults.Fault{Kind: kind, Action: action, Count: count})
	w.must(err)
}

func wantError[E error](t *testing.T, err error) E {
	t.Helper()
	target, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("got error %v, want a %T", err, target)
	}
	return target
}
