package datachannel

import (
	"io"
	"sync"

	"github.com/xtaci/smux"
)

// held is how much of what was taken may wait for the client.
const held = 256 << 10

// echo is a server behind a port that sends back what it is sent, for agents that
// carry one connection at a time.
type echo struct{ waits []byte }

// Echo starts the server of a session without multiplexing.
func Echo(string, func()) Program { return &echo{} }

func (e *echo) Input(p []byte) { e.waits = append(e.waits, p...) }
func (e *echo) Full() bool     { return len(e.waits) >= held }
func (e *echo) Output(limit int) []byte {
	n := min(limit, len(e.waits))
	out := e.waits[:n:n]
	e.waits = e.waits[n:]
	return out
}
func (e *echo) Ended() bool     { return false }
func (e *echo) Resize(int, int) {}
func (e *echo) Disconnect()     { e.waits = nil }
func (e *echo) Close()          {}

// muxEcho is the same server for agents that carry many connections, in streams
// of smux.
type muxEcho struct {
	pipe    *pipe
	session *smux.Session
	wait    sync.WaitGroup
}

// MuxEcho starts the server of a session with multiplexing. keepAlive is whether
// this side of smux sends keep-alives, which older clients expect.
func MuxEcho(keepAlive func(clientVersion string) bool) Start {
	return func(clientVersion string, changed func()) Program {
		config := smux.DefaultConfig()
		config.KeepAliveDisabled = !keepAlive(clientVersion)
		m := &muxEcho{pipe: newPipe(changed)}
		session, err := smux.Server(m.pipe, config)
		if err != nil {
			panic(err) // The configuration is part of the program.
		}
		m.session = session
		m.wait.Go(m.accept)
		return m
	}
}

func (m *muxEcho) accept() {
	for {
		stream, err := m.session.AcceptStream()
		if err != nil {
			return
		}
		m.wait.Go(func() {
			_, _ = io.Copy(stream, stream) // It ends with the stream or the session.
			_ = stream.Close()
		})
	}
}

func (m *muxEcho) Input(p []byte)          { m.pipe.put(p) }
func (m *muxEcho) Full() bool              { return m.pipe.full() }
func (m *muxEcho) Output(limit int) []byte { return m.pipe.take(limit) }
func (m *muxEcho) Ended() bool             { return m.session.IsClosed() }
func (m *muxEcho) Resize(int, int)         {}
func (m *muxEcho) Disconnect()             {}
func (m *muxEcho) Close() {
	_ = m.session.Close() // It is closed, also where it was before.
	_ = m.pipe.Close()
	m.wait.Wait()
}

// pipe is the connection between smux, which waits, and an agent, which does not.
type pipe struct {
	changed func()

	mu      sync.Mutex
	ready   *sync.Cond
	in, out []byte
	closed  bool
}

func newPipe(changed func()) *pipe {
	p := &pipe{changed: changed}
	p.ready = sync.NewCond(&p.mu)
	return p
}

// Read waits for what the client sends.
func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.in) == 0 && !p.closed {
		p.ready.Wait()
	}
	if p.closed {
		return 0, io.EOF
	}
	n := copy(b, p.in)
	p.in = p.in[n:]
	return n, nil
}

// Write waits until the client has read most of what was written before.
func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.out) >= held && !p.closed {
		p.ready.Wait()
	}
	if p.closed {
		return 0, io.ErrClosedPipe
	}
	p.out = append(p.out, b...)
	p.changed()
	return len(b), nil
}

// Close wakes all that wait.
func (p *pipe) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.ready.Broadcast()
	return nil
}

func (p *pipe) put(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in = append(p.in, b...)
	p.ready.Broadcast()
}

func (p *pipe) full() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.in) >= held
}

func (p *pipe) take(limit int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(limit, len(p.out))
	b := append([]byte(nil), p.out[:n]...)
	p.out = p.out[n:]
	p.ready.Broadcast()
	return b
}
