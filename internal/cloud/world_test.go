package cloud

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	emulatorclock "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/clock"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

const (
	testAccount = "488821267897"
	testOwner   = "0a1b2c3d"
	testRegion  = "ap-northeast-1"
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
type tester interface {
	Helper()
	Cleanup(func())
	Error(...any)
	Fatal(...any)
	Fatalf(string, ...any)
}

// world is an emulated AWS with an operator's pool on it, and a client apart
// from the operator that makes changes it does not see.
type world struct {
	t       tester
	aws     *awsemulator.Server
	url     string
	base    aws.Config
	pool    *Pool
	account *Account
	mirror  *Mirror
	// stranger has an administrator's client that lags nothing.
	stranger *iam.Client

	mu    sync.Mutex
	calls []Call
}

// trusting lets the account's root assume a role.
const trusting = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::488821267897:root"},
"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"abc"}}}]}`

func testFixture() *fixtures.Fixture {
	return &fixtures.Fixture{Accounts: []fixtures.Account{{
		ID:       testAccount,
		RootKeys: []fixtures.AccessKey{{ID: "AKIAROOTROOTROOTROOT", Secret: "root-secret"}},
		Groups:   []fixtures.Group{{Name: "admins"}},
		Users: []fixtures.User{
			{Name: "alice", Groups: []string{"admins"}},
			{Name: "Bob", Path: "/team/"},
			{Name: "operator", AccessKeys: []fixtures.AccessKey{{ID: "AKIAOPERATOROPERATOR", Secret: "operator-secret"}}},
		},
		Roles: []fixtures.Role{{Name: "deploy", Trust: []byte(trusting)}},
	}}}
}

// option changes the pool's options before the pool is made.
type option func(*PoolOptions)

func newWorld(t tester, options ...option) *world {
	t.Helper()
	return newWorldOf(t, testFixture(), options...)
}

func newWorldOf(t tester, fixture *fixtures.Fixture, options ...option) *world {
	t.Helper()
	server, err := awsemulator.New(awsemulator.Options{
		Fixture: fixture, Seed: 1, Clock: emulatorclock.Fixed(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)),
	})
	if err != nil {
		t.Fatal(err)
	}
	running, err := server.Start("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, aws: server, url: running.URL}
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := running.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.base = aws.Config{
		Region: testRegion, BaseEndpoint: aws.String(running.URL),
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("AKIAROOTROOTROOTROOT", "root-secret", "")),
		HTTPClient:  withPlainBody(&http.Client{Transport: transport}),
	}
	w.stranger = iam.NewFromConfig(w.base)
	w.restart(options...)
	return w
}

// restart makes a new pool, as a new process would.
func (w *world) restart(options ...option) {
	o := PoolOptions{
		Base: w.base, OwnerID: testOwner, Rate: 1e6, Burst: 1e6,
		Clock: serverClock{w.aws}, OnCall: w.note,
	}
	for _, change := range options {
		change(&o)
	}
	w.pool = NewPool(o)
	w.account = w.pool.Account(Config{AccountID: testAccount, Region: testRegion})
	w.mirror = w.account.Mirror()
}

// serverClock returns the emulator's time.
type serverClock struct{ server *awsemulator.Server }

func (c serverClock) Now() time.Time                  { return c.server.Now() }
func (c serverClock) Since(t time.Time) time.Duration { return c.server.Now().Sub(t) }

func (w *world) note(c Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, c)
}

// called returns the operations that were called since the last time, in order,
// without those of STS.
func (w *world) called() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var operations []string
	for _, c := range w.calls {
		if c.Service != serviceSTS {
			operations = append(operations, c.Operation)
		}
	}
	w.calls = nil
	return operations
}

func (w *world) wantCalls(want ...string) {
	w.t.Helper()
	if got := w.called(); !slices.Equal(got, want) {
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
	report, err := w.mirror.Refresh(context.Background())
	w.must(err)
	return report
}

// settled is a world whose mirror was filled more than a window after start.
func (w *world) settle() {
	w.t.Helper()
	w.aws.Advance(2 * ConsistencyWindow)
	w.refresh()
	w.called()
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
