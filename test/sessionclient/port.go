package sessionclient

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/xtaci/smux"
)

// The agents after these versions carry several connections in one session, and send
// no keep-alives in it.
const (
	muxAfter          = "3.0.196.0"
	withoutAliveAfter = "3.1.1511.0"
)

// Port is the client's side of a session of type Port: each connection that it opens
// ends at the port of the node.
type Port struct {
	session *Session
	mux     *smux.Session

	mu   sync.Mutex
	used bool
}

// Port returns the port of a session when the node has announced it.
func (s *Session) Port(ctx context.Context) (*Port, error) {
	kind, err := s.Type(ctx)
	if err != nil {
		return nil, err
	}
	if kind != "Port" {
		return nil, fmt.Errorf("a session of type %s has no port", kind)
	}
	p := &Port{session: s}
	if forwarding, _ := s.properties["type"].(string); forwarding != "LocalPortForwarding" || !newer(s.agent, muxAfter) {
		return p, nil
	}
	config := smux.DefaultConfig()
	config.KeepAliveDisabled = newer(s.agent, withoutAliveAfter)
	p.mux, err = smux.Client(s, config)
	if err != nil {
		return nil, fmt.Errorf("open the port: %w", err)
	}
	return p, nil
}

// Connect opens a connection. Without multiplexing a session has a single one.
func (p *Port) Connect() (io.ReadWriteCloser, error) {
	if p.mux != nil {
		return p.mux.OpenStream()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used {
		return nil, fmt.Errorf("the agent is version %s, which carries one connection in a session", p.session.agent)
	}
	p.used = true
	return p.session, nil
}

// newer reports whether a version of the form 3.0.196.0 is after another.
func newer(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := range min(len(a), len(b)) {
		x, _ := strconv.Atoi(a[i])
		y, _ := strconv.Atoi(b[i])
		if x != y {
			return x > y
		}
	}
	return len(a) > len(b)
}
