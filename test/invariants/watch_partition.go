package invariants

import (
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"sync"
)

// errPartitioned ends a watch that was dropped.
var errPartitioned = errors.New("the watch was dropped")

// WatchPartition hides from a manager what happens in the cluster. While it is active,
// watches are silent and lists wait. A watch that is dropped has lost its pending events, and
// must start with a new list, which waits for the end of the partition.
type WatchPartition struct {
	mu     sync.Mutex
	active chan struct{} // closed at the end of the partition; nil while there is none
	// resources are those that are covered, by their names in paths. Empty: all that
	// is read.
	resources []string
	// dropped is closed when the watches that were open until then are dropped.
	dropped chan struct{}
	// before selects the write before which a partition of resources starts.
	before func(*http.Request) bool
}

// NewWatchPartition returns a partition that has not started.
func NewWatchPartition() *WatchPartition { return &WatchPartition{dropped: make(chan struct{})} }

// Start hides some resources, or all.
func (p *WatchPartition) Start(resources ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start(resources)
}

func (p *WatchPartition) start(resources []string) {
	if p.active == nil {
		p.active, p.resources = make(chan struct{}), resources
	}
}

// StartBefore hides resources just before a write is sent, so that the manager does not see
// the effect of it.
func (p *WatchPartition) StartBefore(write func(*http.Request) bool, resources ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = func(r *http.Request) bool {
		if !write(r) {
			return false
		}
		p.start(resources)
		return true
	}
}

// DropWatches drops the open watches. Lists still wait.
func (p *WatchPartition) DropWatches() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.dropped)
	p.dropped = make(chan struct{})
}

// End ends the partition, and drops the watches that are open.
func (p *WatchPartition) End() {
	p.DropWatches()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active != nil {
		close(p.active)
		p.active = nil
	}
}

// IsActive reports whether something is hidden.
func (p *WatchPartition) IsActive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.active != nil
}

// wrote starts the partition before the write that was chosen for it.
func (p *WatchPartition) wrote(r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.before != nil && p.before(r) {
		p.before = nil
	}
}

// covering returns what is closed at the end of the partition, nil where what a path reads
// is not hidden, and what is closed when the watches are dropped.
func (p *WatchPartition) covering(read string) (end, dropped chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.resources) > 0 && !slices.Contains(p.resources, path.Base(read)) {
		return nil, p.dropped
	}
	return p.active, p.dropped
}

// Kubernetes partitions a transport to the API server.
func (p *WatchPartition) Kubernetes(transport http.RoundTripper) http.RoundTripper {
	return partitioned{p, transport}
}

type partitioned struct {
	*WatchPartition
	transport http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t partitioned) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet {
		t.wrote(request)
		return t.transport.RoundTrip(request)
	}
	end, _ := t.covering(request.URL.Path)
	if end != nil {
		select {
		case <-end:
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	_, dropped := t.covering(request.URL.Path)
	response, err := t.transport.RoundTrip(request)
	if err == nil && request.URL.Query().Get("watch") != "" {
		response.Body = &partitionedBody{ReadCloser: response.Body, partition: t.WatchPartition, path: request.URL.Path, dropped: dropped, closed: make(chan struct{})}
	}
	return response, err
}

// partitionedBody is the stream of one watch.
type partitionedBody struct {
	io.ReadCloser
	partition *WatchPartition
	path      string
	dropped   chan struct{}
	once      sync.Once
	closed    chan struct{}
}

// Read implements io.Reader. What arrives while the partition is active is lost.
func (b *partitionedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if end, _ := b.partition.covering(b.path); end != nil {
		select {
		case <-end:
		case <-b.dropped:
		case <-b.closed:
		}
	}
	select {
	case <-b.dropped:
		// The watch has to start again with a list, covered or not.
		return 0, errPartitioned
	default:
		return n, err
	}
}

// Close implements io.Closer.
func (b *partitionedBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.ReadCloser.Close()
}
