package iam

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

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
	testPolicy  = "ssma-0a1b2c3d-u-alice-000000000000-1"

	grantA = `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"ssm:StartSession","Resource":"*"}]}`
	grantB = `{"Version":"2012-10-17","Statement":[{"Sid":"B","Effect":"Allow","Action":"ssm:StartSession","Resource":"*"}]}`
	grantC = `{"Version":"2012-10-17","Statement":[{"Sid":"C","Effect":"Allow","Action":"ssm:StartSession","Resource":"*"}]}`
)

var (
	alice  = Principal{Kind: User, Name: "alice"}
	bob    = Principal{Kind: User, Name: "Bob"}
	admins = Principal{Kind: Group, Name: "admins"}
	deploy = Principal{Kind: Role, Name: "deploy"}
)

// tester is what testing and property testing have in common.
type tester = emulated.Tester

// world is an emulated AWS with an operator's pool on it, and a client apart
// from the operator that makes changes it does not see.
type world struct {
	t       tester
	aws     *awsemulator.Server
	base    aws.Config
	options awsclient.Options
	pool    *Pool
	account *Account
	cache   *Cache
	// stranger has an administrator's client that lags nothing.
	stranger *iam.Client

	emulated.Calls
}

// option changes the pool's options before the pool is made.
type option func(*awsclient.Options)

func newWorld(t tester, options ...option) *world {
	t.Helper()
	return newWorldOf(t, emulated.Fixture(), options...)
}

func newWorldOf(t tester, fixture *fixtures.Fixture, options ...option) *world {
	t.Helper()
	w := &world{t: t}
	w.aws, w.base = emulated.Start(t, fixture)
	w.stranger = iam.NewFromConfig(w.base)
	w.restart(options...)
	return w
}

// restart makes a new pool, as a new process would.
func (w *world) restart(options ...option) {
	w.options = awsclient.Options{Base: w.base, OwnerID: testOwner, Rate: 1e6, Burst: 1e6, OnCall: w.Note}
	for _, change := range options {
		change(&w.options)
	}
	w.renew()
}

// renew makes a new pool of the same options, which setUp may change before its
// first account.
func (w *world) renew(setUp ...func(*Pool)) {
	w.pool = NewPool(awsclient.NewPool(w.options), emulated.Clock{Server: w.aws})
	for _, change := range setUp {
		change(w.pool)
	}
	w.account = w.pool.Account(awsclient.Config{AccountID: testAccount, Region: testRegion})
	w.cache = w.account.Cache()
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

func (w *world) refresh() RefreshReport {
	w.t.Helper()
	report, err := w.cache.Refresh(context.Background())
	w.must(err)
	return report
}

// settled is a world whose cache was filled more than a window after start.
func (w *world) settle() {
	w.t.Helper()
	w.aws.Advance(2 * awsclient.ConsistencyWindow)
	w.refresh()
	w.Operations()
}

func (w *world) create(name, document string) {
	w.t.Helper()
	w.must(w.account.CreatePolicy(context.Background(), NewPolicy{
		Name: name, Description: "test", Document: document, Tags: map[string]string{"ssm-access.dev/owner": testOwner},
	}))
}

// strike has the next matching calls fail.
func (w *world) strike(kind faults.Kind, action string, count int) {
	w.t.Helper()
	_, err := w.aws.Inject(faults.Fault{Kind: kind, Action: action, Count: count})
	w.must(err)
}

// arnOf returns the ARN of one of the operator's policies.
func arnOf(name string) *string {
	return aws.String("arn:aws:iam::" + testAccount + ":policy/ssm-access/" + testOwner + "/" + name)
}

// truth is the actual state of one of the operator's policies in IAM.
func (w *world) truth(name string) (document string, attachedTo []string, exists bool) {
	for _, p := range w.aws.Account(testAccount).IAM.Latest().Export().Policies {
		if nameKey(p.Name) == nameKey(name) && p.Path == "/ssm-access/"+testOwner+"/" {
			return p.Document, p.AttachedTo, true
		}
	}
	return "", nil, false
}

func wantError[E error](t tester, err error) E {
	t.Helper()
	target, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("got error %v, want a %T", err, target)
	}
	return target
}

// filled reports whether a Refresh has succeeded.
func (c *Cache) filled() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.readAt != never
}
