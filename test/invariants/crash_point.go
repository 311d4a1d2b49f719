package invariants

import (
	"errors"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// errCrashed is the error of every call from the crash point on.
var errCrashed = errors.New("nothing is reachable: this manager counts as killed")

// CrashPoint is the n-th call of a manager to AWS, or write to the API server. That call and
// every later one fails. What was sent before takes effect, as when a process is killed.
type CrashPoint struct {
	// At is the number of the call, counted from 1; 0 only counts.
	At int
	// After lets that call take its effect; only the answer is lost.
	After bool

	once sync.Once
	mu   sync.Mutex
	n    int
	dead chan struct{}
}

// Dead is closed when the crash point is reached.
func (c *CrashPoint) Dead() <-chan struct{} {
	c.once.Do(func() { c.dead = make(chan struct{}) })
	return c.dead
}

// Calls is how many calls there were.
func (c *CrashPoint) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// admit counts a call, where it counts. send reports whether to send it, answer
// whether its answer arrives.
func (c *CrashPoint) admit(counts bool) (send, answer bool) {
	dead := c.Dead()
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-dead:
		return false, false
	default:
	}
	if !counts {
		return true, true
	}
	if c.n++; c.n != c.At {
		return true, true
	}
	close(c.dead)
	return c.After, false
}

func (c *CrashPoint) do(counts bool, send func() (*http.Response, error)) (*http.Response, error) {
	sent, answered := c.admit(counts)
	if !sent {
		return nil, errCrashed
	}
	response, err := send()
	if answered {
		return response, err
	}
	if err == nil {
		_ = response.Body.Close() // The caller gets no response to read.
	}
	return nil, errCrashed
}

// AWS cuts a client of AWS. Nil means the SDK's own.
func (c *CrashPoint) AWS(client aws.HTTPClient) aws.HTTPClient {
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	return awsCrashPoint{c, client}
}

type awsCrashPoint struct {
	*CrashPoint
	client aws.HTTPClient
}

// Do implements aws.HTTPClient.
func (a awsCrashPoint) Do(request *http.Request) (*http.Response, error) {
	return a.do(true, func() (*http.Response, error) { return a.client.Do(request) })
}

// Kubernetes wraps a transport to the API server. From the crash point on, reads fail too,
// but only writes are counted. Watches that are open stay open.
func (c *CrashPoint) Kubernetes(transport http.RoundTripper) http.RoundTripper {
	return kubernetesCrashPoint{c, transport}
}

type kubernetesCrashPoint struct {
	*CrashPoint
	transport http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (k kubernetesCrashPoint) RoundTrip(request *http.Request) (*http.Response, error) {
	return k.do(request.Method != http.MethodGet, func() (*http.Response, error) { return k.transport.RoundTrip(request) })
}
