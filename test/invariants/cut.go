package invariants

import (
	"errors"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// errCut is what every call gets once the cut has come.
var errCut = errors.New("the world is out of reach: this manager counts as killed")

// Cut takes the world away from a manager at its n-th call to AWS or write to
// the API server: that call and everything after it fails. What was sent before
// takes effect, as when a process is killed.
type Cut struct {
	// At is the number of the call, counted from 1; 0 only counts.
	At int
	// After lets that call take its effect; only the answer is lost.
	After bool

	once sync.Once
	mu   sync.Mutex
	n    int
	dead chan struct{}
}

// Dead is closed when the cut has come.
func (c *Cut) Dead() <-chan struct{} {
	c.once.Do(func() { c.dead = make(chan struct{}) })
	return c.dead
}

// Calls is how many calls there were.
func (c *Cut) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// admit counts a call, where it counts. send reports whether to send it, answer
// whether its answer arrives.
func (c *Cut) admit(counts bool) (send, answer bool) {
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

func (c *Cut) do(counts bool, send func() (*http.Response, error)) (*http.Response, error) {
	sent, answered := c.admit(counts)
	if !sent {
		return nil, errCut
	}
	response, err := send()
	if answered {
		return response, err
	}
	if err == nil {
		_ = response.Body.Close() // The caller gets no response to read.
	}
	return nil, errCut
}

// AWS cuts a client of AWS. Nil means the SDK's own.
func (c *Cut) AWS(client aws.HTTPClient) aws.HTTPClient {
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	return awsCut{c, client}
}

type awsCut struct {
	*Cut
	client aws.HTTPClient
}

// Do implements aws.HTTPClient.
func (a awsCut) Do(request *http.Request) (*http.Response, error) {
	return a.do(true, func() (*http.Response, error) { return a.client.Do(request) })
}

// Kubernetes cuts a transport to the API server. Reads fail too once the cut has
// come, but only writes are counted. Watches that are open stay so.
func (c *Cut) Kubernetes(transport http.RoundTripper) http.RoundTripper {
	return kubernetesCut{c, transport}
}

type kubernetesCut struct {
	*Cut
	transport http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (k kubernetesCut) RoundTrip(request *http.Request) (*http.Response, error) {
	return k.do(request.Method != http.MethodGet, func() (*http.Response, error) { return k.transport.RoundTrip(request) })
}
