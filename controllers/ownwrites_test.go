package controllers_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/stack"
	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv"
)

// holding holds back what the watches of a resource bring while it is told to.
type holding struct {
	resource string

	mu   sync.Mutex
	held chan struct{} // closed when it is let go; nil while nothing is held
}

func (h *holding) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = make(chan struct{})
}

func (h *holding) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.held)
	h.held = nil
}

func (h *holding) until() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held
}

// wrap has a client's watches held back.
func (h *holding) wrap(next http.RoundTripper) http.RoundTripper { return heldBack{h, next} }

type heldBack struct {
	*holding
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t heldBack) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.next.RoundTrip(r)
	if err == nil && strings.HasSuffix(r.URL.Path, "/"+t.resource) && r.URL.Query().Get("watch") != "" {
		answer.Body = &heldStream{ReadCloser: answer.Body, by: t.holding, closed: make(chan struct{})}
	}
	return answer, err
}

type heldStream struct {
	io.ReadCloser
	by     *holding
	close  sync.Once
	closed chan struct{}
}

// Read implements io.Reader.
func (s *heldStream) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if held := s.by.until(); held != nil {
		select {
		case <-held:
		case <-s.closed:
		}
	}
	return n, err
}

// Close implements io.Closer.
func (s *heldStream) Close() error {
	s.close.Do(func() { close(s.closed) })
	return s.ReadCloser.Close()
}

// What a node was found to be goes to a status twice before the cache shows the
// first time. Taking the cache's word, the second would seem to be stored.
func TestAStatusIsTrueWhereTheCacheIsBehindIt(t *testing.T) {
	h := &holding{resource: "sessionaccesses"}
	w := worldOf(t, testenv.Options{Fixture: bothStacks()})
	api := rest.CopyConfig(w.OperatorConfig())
	api.Wrap(h.wrap)
	n := nodesOf(t, w, testenv.ManagerOptions{API: api})
	n.allConnected()
	one, other := fixtures.S7Node, fixtures.S7NATNode
	// Whatever the cache was to hear of so far, it hears before what is held.
	seen := access("seen", "user02", pc01)
	n.create(seen)
	n.accessIs(seen, v1alpha1.ReasonGranted)
	h.hold()
	mend := n.breaks(one, stack.InstanceStopped)
	n.resync()
	n.reasonIs(one, reasons[stack.InstanceStopped])
	mend()
	// Both are looked at together; that of the other is told once it was done.
	mendOther := n.breaks(other, stack.InstanceStopped)
	n.resync()
	n.reasonIs(other, reasons[stack.InstanceStopped])
	h.release()
	n.connected(one)
	mendOther()
	n.resync()
	n.connected(other)
}
