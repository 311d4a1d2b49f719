package invariants

import (
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"sync"
)

// errVeiled ends a watch that a veil has covered.
var errVeiled = errors.New("the watch was lost")

// Veil hides from a manager what happens in the cluster. While it is down, watches
// are silent and lists wait. A lost watch has lost its pending events, and must
// start with a new list, which waits until the veil is lifted.
type Veil struct {
	mu   sync.Mutex
	down chan struct{} // closed when the veil is lifted; nil while it is up
	// resources are those that are covered, by their names in paths. Empty: all that
	// is read.
	resources []string
	// dropped is closed when what was watched until then is lost.
	dropped chan struct{}
	// before is a write before which the veil falls over resources.
	before func(*http.Request) bool
}

// NewVeil is up.
func NewVeil() *Veil { return &Veil{dropped: make(chan struct{})} }

// Drop lets the veil down, over some resources or over all.
func (v *Veil) Drop(resources ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drop(resources)
}

func (v *Veil) drop(resources []string) {
	if v.down == nil {
		v.down, v.resources = make(chan struct{}), resources
	}
}

// DropBefore lets the veil down over resources just before a write is sent, so that
// its own effect is not seen.
func (v *Veil) DropBefore(write func(*http.Request) bool, resources ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.before = func(r *http.Request) bool {
		if !write(r) {
			return false
		}
		v.drop(resources)
		return true
	}
}

// Lose loses the watches. Lists still wait.
func (v *Veil) Lose() {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.dropped)
	v.dropped = make(chan struct{})
}

// Lift takes the veil up. Watches that were open are lost.
func (v *Veil) Lift() {
	v.Lose()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down != nil {
		close(v.down)
		v.down = nil
	}
}

// Down reports whether the veil is down.
func (v *Veil) Down() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.down != nil
}

// wrote lets the veil fall if this is the write before which it should.
func (v *Veil) wrote(r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.before != nil && v.before(r) {
		v.before = nil
	}
}

// covering is closed when the veil is lifted from what a path reads, and nil where
// it does not cover it.
func (v *Veil) covering(read string) (down, dropped chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.resources) > 0 && !slices.Contains(v.resources, path.Base(read)) {
		return nil, v.dropped
	}
	return v.down, v.dropped
}

// Kubernetes veils a transport to the API server.
func (v *Veil) Kubernetes(transport http.RoundTripper) http.RoundTripper {
	return veiled{v, transport}
}

type veiled struct {
	*Veil
	transport http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t veiled) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet {
		t.wrote(request)
		return t.transport.RoundTrip(request)
	}
	down, _ := t.covering(request.URL.Path)
	if down != nil {
		select {
		case <-down:
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	_, dropped := t.covering(request.URL.Path)
	response, err := t.transport.RoundTrip(request)
	if err == nil && request.URL.Query().Get("watch") != "" {
		response.Body = &veiledBody{ReadCloser: response.Body, veil: t.Veil, path: request.URL.Path, dropped: dropped, closed: make(chan struct{})}
	}
	return response, err
}

// veiledBody is the stream of one watch.
type veiledBody struct {
	io.ReadCloser
	veil    *Veil
	path    string
	dropped chan struct{}
	once    sync.Once
	closed  chan struct{}
}

// Read implements io.Reader. What comes while the veil is down is lost.
func (b *veiledBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if down, _ := b.veil.covering(b.path); down != nil {
		select {
		case <-down:
		case <-b.dropped:
		case <-b.closed:
		}
	}
	select {
	case <-b.dropped:
		// The watch has to start again with a list, covered or not.
		return 0, errVeiled
	default:
		return n, err
	}
}

// Close implements io.Closer.
func (b *veiledBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.ReadCloser.Close()
}
