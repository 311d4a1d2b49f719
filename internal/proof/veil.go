package proof

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// errVeiled ends a watch that a veil has covered.
var errVeiled = errors.New("the watch was lost")

// Veil keeps a manager from seeing what happens in the cluster: while it is down
// watches say nothing and lists wait. When it is lifted the watches are lost with
// what they had to say, and must begin with a new list.
type Veil struct {
	mu   sync.Mutex
	down chan struct{} // closed when the veil is lifted; nil while it is up
	// dropped is closed when what was watched until then is lost.
	dropped chan struct{}
}

// NewVeil is up.
func NewVeil() *Veil { return &Veil{dropped: make(chan struct{})} }

// Drop lets the veil down.
func (v *Veil) Drop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down == nil {
		v.down = make(chan struct{})
	}
}

// Lift takes it up. Watches that were open are lost.
func (v *Veil) Lift() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down != nil {
		close(v.dropped)
		close(v.down)
		v.down, v.dropped = nil, make(chan struct{})
	}
}

func (v *Veil) state() (down, dropped chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
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
		return t.transport.RoundTrip(request)
	}
	down, _ := t.state()
	if down != nil {
		select {
		case <-down:
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	_, dropped := t.state()
	response, err := t.transport.RoundTrip(request)
	if err == nil && request.URL.Query().Get("watch") != "" {
		response.Body = &veiledBody{ReadCloser: response.Body, veil: t.Veil, dropped: dropped, closed: make(chan struct{})}
	}
	return response, err
}

// veiledBody is the stream of one watch.
type veiledBody struct {
	io.ReadCloser
	veil    *Veil
	dropped chan struct{}
	once    sync.Once
	closed  chan struct{}
}

// Read implements io.Reader. What comes while the veil is down is lost.
func (b *veiledBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	down, _ := b.veil.state()
	if down != nil {
		select {
		case <-down:
		case <-b.closed:
		}
	}
	select {
	case <-b.dropped:
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
