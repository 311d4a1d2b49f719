package hybridactivation_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// fuse stands between a manager and the outside, and blows at the n-th request
// that counts: from then on nothing gets through, as after a kill.
type fuse struct {
	// counts says which requests count, those to AWS and those to the API server.
	counts func(*http.Request) bool

	mu      sync.Mutex
	n       int  // the requests to come until it blows; never at 0 or less
	answer  bool // the last request is sent, and its answer lost
	passed  []string
	blown   chan struct{}
	isBlown bool
}

// errBlown is what a dead process would see, were there one. Nothing is tried
// again after it.
var errBlown = fmt.Errorf("the process was killed: %w", context.Canceled)

func newFuse(counts func(*http.Request) bool) *fuse {
	return &fuse{counts: counts, blown: make(chan struct{})}
}

// arm has the fuse blow at the n-th request from now that counts. With answer
// the request is sent, and its answer lost.
func (f *fuse) arm(n int, answer bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n, f.answer, f.passed = n, answer, nil
}

// disarm reports what passed since it was armed, and whether it has blown.
func (f *fuse) disarm() (passed []string, blown bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	blown = f.n <= 0 // Perhaps in a moment: the last request may be on its way.
	f.n = 0
	return f.passed, blown
}

// admit decides about a request: whether it is sent, and whether it is the last.
func (f *fuse) admit(r *http.Request) (sent, last bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isBlown {
		return false, false
	}
	if !f.counts(r) {
		return true, false
	}
	f.passed = append(f.passed, strings.TrimPrefix(fmt.Sprint(r.Header.Get("X-Amz-Target"), " ", r.Method, " ", r.URL.Path, "?", r.URL.RawQuery), " "))
	if f.n--; f.n != 0 {
		return true, false
	}
	return f.answer, true
}

func (f *fuse) blow() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.isBlown {
		f.isBlown = true
		close(f.blown)
	}
}

type fused struct {
	*fuse
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (f fused) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, last := f.admit(r)
	if !sent {
		if last {
			f.blow()
		}
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, errBlown
	}
	response, err := f.next.RoundTrip(r)
	if !last {
		return response, err
	}
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body) // Whatever came of it has come.
		response.Body.Close()
	}
	f.blow()
	return nil, errBlown
}

// options has a manager reach everything through the fuse.
func (f *fuse) options(w world) testenv.ManagerOptions {
	api := rest.CopyConfig(w.OperatorConfig())
	api.Wrap(func(next http.RoundTripper) http.RoundTripper { return fused{f, next} })
	operator := w.AWSConfig(w.Operator())
	operator.HTTPClient = &http.Client{Transport: fused{f, http.DefaultTransport}}
	return testenv.ManagerOptions{API: api, AWS: &operator}
}

// ofActivations are the calls to AWS and the writes to the API server that a
// HybridActivation makes.
func ofActivations(r *http.Request) bool {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return strings.Contains(target, "Activation") || strings.Contains(target, "InstanceInformation") ||
			strings.Contains(target, "Deregister") || strings.Contains(target, "AddTags")
	}
	return r.Method != http.MethodGet && (strings.Contains(r.URL.Path, "/hybridactivations/") || strings.Contains(r.URL.Path, "/secrets"))
}
