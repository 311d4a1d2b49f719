package awsclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

const identityAnswer = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
	`<Arn>arn:aws:iam::` + emulated.AccountID + `:user/operator</Arn><UserId>AIDA</UserId><Account>` + emulated.AccountID + `</Account>` +
	`</GetCallerIdentityResult></GetCallerIdentityResponse>`

// failing is an HTTP server in memory that answers STS, and every other request as
// the test says. It notes when each of these came, by the clock of the bubble of
// testing/synctest in which it runs.
type failing struct {
	answer http.HandlerFunc
	client *http.Client

	mu       sync.Mutex
	arrivals []time.Time
}

func newFailing(t *testing.T, answer http.HandlerFunc) *failing {
	t.Helper()
	f := &failing{answer: answer}
	listener := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: f, ReadHeaderTimeout: time.Hour}
	transport := &http.Transport{DialContext: listener.dial}
	f.client = &http.Client{Transport: transport}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close() // What the server ends with is checked below.
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return f
}

func (f *failing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Authorization"), "/sts/") {
		_, _ = w.Write([]byte(identityAnswer)) // A client that is gone gets no answer.
		return
	}
	f.mu.Lock()
	f.arrivals = append(f.arrivals, time.Now())
	f.mu.Unlock()
	f.answer(w, r)
}

// take returns when the requests since the last take came.
func (f *failing) take() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	arrivals := f.arrivals
	f.arrivals = nil
	return arrivals
}

// clients are new clients, with all their retries, of an account on the server.
func (f *failing) clients(t *testing.T) *awsclient.Clients {
	t.Helper()
	pool := awsclient.NewPool(awsclient.Options{
		OwnerID: emulated.OwnerID, Rate: 1e6, Burst: 1e6,
		Base: aws.Config{
			BaseEndpoint: aws.String("http://aws.example"), HTTPClient: f.client,
			Credentials: credentials.NewStaticCredentialsProvider("AKIAOPERATOROPERATOR", "operator-secret", ""),
		},
	})
	account := pool.Account(awsclient.Config{AccountID: emulated.AccountID, Region: emulated.Region})
	clients, err := account.Clients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return clients
}

// pipeListener connects clients and a server of one process in memory.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, its := net.Pipe()
	select {
	case l.conns <- its:
		return ours, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (*pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

// call is one call of a client.
type call func(context.Context, *awsclient.Clients) error

func listUsers(ctx context.Context, c *awsclient.Clients) error {
	_, err := c.IAM().ListUsers(ctx, &iam.ListUsersInput{})
	return err
}

func describeSessions(ctx context.Context, c *awsclient.Clients) error {
	_, err := c.SSM(emulated.Region).DescribeSessions(ctx, &ssm.DescribeSessionsInput{State: "Active"})
	return err
}

func describeInstances(ctx context.Context, c *awsclient.Clients) error {
	_, err := c.EC2(emulated.Region).DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	return err
}

func createActivation(ctx context.Context, c *awsclient.Clients) error {
	_, err := c.SSM(emulated.Region).CreateActivation(ctx, &ssm.CreateActivationInput{IamRole: aws.String("nodes")})
	return err
}

// answers of a service, as it spells its errors.
func jsonError(status int, code string) http.HandlerFunc {
	return answerWith(status, "application/x-amz-json-1.1", `{"__type":"`+code+`","message":"no"}`)
}

func xmlError(status int, code string) http.HandlerFunc {
	return answerWith(status, "text/xml", `<ErrorResponse><Error><Type>Sender</Type><Code>`+code+
		`</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>`)
}

func ec2Error(status int, code string) http.HandlerFunc {
	return answerWith(status, "text/xml", `<Response><Errors><Error><Code>`+code+
		`</Code><Message>no</Message></Error></Errors><RequestID>r</RequestID></Response>`)
}

func answerWith(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // A client that is gone gets no answer.
	}
}

func retryAfter(milliseconds string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Retry-After", milliseconds)
		next(w, r)
	}
}

func breakOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // Only then does the server see that the client is gone.
	<-r.Context().Done()
}

// delays are the bounds and the mean of the delays before the second and the third
// attempt, in seconds.
type delays struct{ least, most, mean [2]float64 }

var (
	// jittered delays are drawn evenly from zero to 2 and to 4 seconds.
	jittered = delays{most: [2]float64{2, 4}, mean: [2]float64{1, 2}}
	// asked are those of an AWS that asks for 10 seconds: at most 5 seconds longer
	// than jittered ones.
	asked = delays{least: [2]float64{5, 5}, most: [2]float64{7, 9}, mean: [2]float64{6, 7}}
)

// SDK v1.48.0 changed its delays and costs for every client that does not set them.
func TestCallsAreRetriedAsOftenAndAsLateAsTheOperatorSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call   call
		answer http.HandlerFunc
		retry  *delays // nil: one attempt
	}{
		"503 without a code":              {describeSessions, answerWith(503, "text/plain", "upstream is down"), &jittered},
		"500 of IAM":                      {listUsers, xmlError(500, "ServiceFailure"), &jittered},
		"500 of SSM":                      {describeSessions, jsonError(500, "InternalServerError"), &jittered},
		"502 of EC2":                      {describeInstances, answerWith(502, "text/html", "<html>"), &jittered},
		"504 of SSM":                      {describeSessions, jsonError(504, "X"), &jittered},
		"broken connection":               {describeSessions, breakOff, &jittered},
		"throttling of IAM":               {listUsers, xmlError(400, "Throttling"), &jittered},
		"throttling of SSM":               {describeSessions, jsonError(400, "ThrottlingException"), &jittered},
		"throttling of EC2":               {describeInstances, ec2Error(503, "RequestLimitExceeded"), &jittered},
		"429 with an unknown code":        {describeSessions, jsonError(429, "NeverHeardOf"), &jittered},
		"another write of IAM":            {listUsers, xmlError(409, "ConcurrentModification"), &jittered},
		"another write of SSM":            {describeSessions, jsonError(400, "TooManyUpdates"), &jittered},
		"AWS says when":                   {describeSessions, retryAfter("10000", jsonError(400, "ThrottlingException")), &asked},
		"refused":                         {listUsers, xmlError(403, "AccessDenied"), nil},
		"a quota":                         {listUsers, xmlError(409, "LimitExceeded"), nil},
		"invalid":                         {describeSessions, jsonError(400, "ValidationException"), nil},
		"creation, 503":                   {createActivation, jsonError(503, "InternalServerError"), nil},
		"creation, throttled":             {createActivation, jsonError(400, "ThrottlingException"), nil},
		"creation, another write":         {createActivation, jsonError(400, "TooManyUpdates"), nil},
		"creation, connection broken off": {createActivation, breakOff, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { expectRetries(t, newFailing(t, c.answer), c.call, c.retry) })
		})
	}
}

// expectRetries makes a call so often that the mean of its random delays distinguishes
// their distribution from another.
func expectRetries(t *testing.T, server *failing, call call, want *delays) {
	t.Helper()
	const calls = 100
	var sum [2]float64
	for range calls {
		if err := call(t.Context(), server.clients(t)); err == nil {
			t.Fatal("the call succeeded")
		}
		arrivals := server.take()
		if want == nil && len(arrivals) == 1 {
			continue
		}
		if want == nil || len(arrivals) != 3 {
			t.Fatalf("%d attempts", len(arrivals))
		}
		for i := range sum {
			delay := arrivals[i+1].Sub(arrivals[i]).Seconds()
			if delay < want.least[i] || delay > want.most[i]+.001 {
				t.Fatalf("delay %d of %.3f s, want %v to %v", i+1, delay, want.least[i], want.most[i])
			}
			sum[i] += delay
		}
	}
	if want == nil {
		return
	}
	for i, total := range sum {
		// Six standard deviations of the mean of a uniform distribution.
		if mean, off := total/calls, .36*float64(i+1); mean < want.mean[i]-off || mean > want.mean[i]+off {
			t.Errorf("delay %d of %.2f s on average, want about %v", i+1, mean, want.mean[i])
		}
	}
}

func TestARequestWithoutAnAnswerIsNotRepeatedInTheSameCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFailing(t, hang)
		clients := server.clients(t)
		began := time.Now()
		if err := describeSessions(t.Context(), clients); err == nil {
			t.Fatal("the call succeeded")
		}
		if took, attempts := time.Since(began), len(server.take()); attempts != 1 || took.Round(time.Second) != awsclient.DefaultAttemptTimeout {
			t.Errorf("%d attempts in %s", attempts, took)
		}
	})
}

func TestAClientRetriesAHundredTimesUntilItsCallsSucceedAgain(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]http.HandlerFunc{
		"outage": jsonError(503, "InternalServerError"), "throttling": jsonError(400, "ThrottlingException"),
		"another write": jsonError(400, "TooManyUpdates"), "broken connection": breakOff,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				healthy := false
				server := newFailing(t, func(w http.ResponseWriter, r *http.Request) {
					if healthy {
						answerWith(200, "application/x-amz-json-1.1", `{"Sessions":[]}`)(w, r)
						return
					}
					failure(w, r)
				})
				clients := server.clients(t)
				fail := func() (retries int) {
					_ = describeSessions(t.Context(), clients) // It fails, or the count is wrong.
					return len(server.take()) - 1
				}
				retries := 0
				for range 60 {
					retries += fail()
				}
				if retries != 100 || fail() != 0 {
					t.Errorf("%d retries in 60 calls that fail, want 100", retries)
				}
				healthy = true
				for range 5 {
					if err := describeSessions(t.Context(), clients); err != nil {
						t.Fatal(err)
					}
				}
				server.take()
				healthy = false
				if got := fail(); got != 1 {
					t.Errorf("%d retries after 5 calls that succeeded, want 1", got)
				}
			})
		})
	}
}
