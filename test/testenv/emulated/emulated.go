// Package emulated starts an emulated AWS account, for the tests of the packages
// that call AWS.
package emulated

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/clock"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// The account of Fixture, and the operator in it.
const (
	AccountID = "488821267897"
	OwnerID   = "0a1b2c3d"
	Region    = "ap-northeast-1"
)

// Trust lets the account's root assume a role with the external id "abc".
const Trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + AccountID + `:root"},
"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"abc"}}}]}`

// Fixture has the users alice, Bob and operator, the group admins and the role
// deploy.
func Fixture() *fixtures.Fixture {
	return &fixtures.Fixture{Accounts: []fixtures.Account{{
		ID:       AccountID,
		RootKeys: []fixtures.AccessKey{{ID: "AKIAROOTROOTROOTROOT", Secret: "root-secret"}}, //nolint:gosec // the emulator alone knows it
		Groups:   []fixtures.Group{{Name: "admins"}},
		Users: []fixtures.User{
			{Name: "alice", Groups: []string{"admins"}},
			{Name: "Bob", Path: "/team/"},
			{Name: "operator", AccessKeys: []fixtures.AccessKey{{ID: "AKIAOPERATOROPERATOR", Secret: "operator-secret"}}},
		},
		Roles: []fixtures.Role{{Name: "deploy", Trust: []byte(Trust)}},
	}}}
}

// Tester is what testing and property testing have in common.
type Tester interface {
	Helper()
	Cleanup(func())
	Error(...any)
	Fatal(...any)
	Fatalf(string, ...any)
}

// Start starts an emulated AWS for a test, and returns it with a configuration
// that reaches it as the account's root.
func Start(t Tester, fixture *fixtures.Fixture) (*awsemulator.Server, aws.Config) {
	t.Helper()
	server, err := awsemulator.New(awsemulator.Options{
		Fixture: fixture, Seed: 1, Clock: clock.Fixed(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)),
	})
	if err != nil {
		t.Fatal(err)
	}
	running, err := server.Start("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := running.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server, aws.Config{
		Region: Region, BaseEndpoint: aws.String(running.URL),
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("AKIAROOTROOTROOTROOT", "root-secret", "")),
		HTTPClient:  plainBody{&http.Client{Transport: transport}},
	}
}

// plainBody sends requests whose body offers Read and Close alone: see package
// awsclient for why.
type plainBody struct{ client *http.Client }

func (p plainBody) Do(request *http.Request) (*http.Response, error) {
	if request.Body != nil && request.Body != http.NoBody {
		request.Body = struct{ io.ReadCloser }{request.Body}
	}
	return p.client.Do(request) //nolint:gosec // the address is the emulator's
}

// Clock returns an emulator's time.
type Clock struct{ Server *awsemulator.Server }

// Now is the time that the emulator has.
func (c Clock) Now() time.Time { return c.Server.Now() }

// Since is how long ago a time is by the emulator's clock.
func (c Clock) Since(t time.Time) time.Duration { return c.Server.Now().Sub(t) }

// Calls notes the calls of a pool. Safe for concurrent use.
type Calls struct {
	mu   sync.Mutex
	list []awsclient.Call
}

// Note is for awsclient.Options.OnCall.
func (c *Calls) Note(call awsclient.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, call)
}

// All are the calls since the last Operations, in order.
func (c *Calls) All() []awsclient.Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.list)
}

// Operations returns the operations that were called since the last time, in
// order, without those of STS.
func (c *Calls) Operations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var operations []string
	for _, call := range c.list {
		if call.Service != "sts" {
			operations = append(operations, call.Operation)
		}
	}
	c.list = nil
	return operations
}
