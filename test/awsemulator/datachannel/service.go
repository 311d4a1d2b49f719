package datachannel

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// openTime is how long a client has for its first message.
	openTime = 10 * time.Second
	// tick is how often overdue frames are sent again.
	tick = 100 * time.Millisecond
)

// Session is a session for which a channel is open.
type Session struct {
	ID, Target string
	// Agent is the node's side.
	Agent *Agent
}

// Service relays between clients and nodes. It is safe for concurrent use.
type Service struct {
	// Exited is called when a session has ended on its node.
	Exited func(session string)

	mu       sync.Mutex
	channels map[string]*channel
}

// channel is that of one session. The service's mutex guards it.
type channel struct {
	Session
	tokens map[string]bool
	// reason is why the session ended on its node, where that is no ordinary end.
	reason string
	client *conn
}

// NewService returns a service without sessions.
func NewService(exited func(session string)) *Service {
	return &Service{Exited: exited, channels: map[string]*channel{}}
}

// Admit lets the bearer of a token connect to a session, once.
func (s *Service) Admit(token, session string, open func() Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.channels[session]
	if !ok {
		c = &channel{Session: open(), tokens: map[string]bool{}}
		s.channels[session] = c
	}
	c.tokens[token] = true
}

// End ends a session: its client is sent that the channel is closed. Nothing happens
// when it has no channel.
func (s *Service) End(session string) {
	s.mu.Lock()
	c, ok := s.channels[session]
	delete(s.channels, session)
	if ok && c.client != nil {
		c.client.finish(closedFrame(session, c.Target, c.reason, time.Now()))
	}
	s.mu.Unlock()
	if ok {
		c.Agent.Close()
	}
}

// Cut closes the connection of a session's client as a network does. The session
// continues. It reports whether there was a connection.
func (s *Service) Cut(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.channels[session]
	if !ok || c.client == nil {
		return false
	}
	_ = c.client.socket.CloseNow() // It is closed, with an error too.
	c.client = nil
	return true
}

// Connected reports whether a client is connected to a session.
func (s *Service) Connected(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.channels[session]
	return ok && c.client != nil
}

// Close ends all sessions without a word.
func (s *Service) Close() {
	s.mu.Lock()
	channels := s.channels
	s.channels = map[string]*channel{}
	for _, c := range channels {
		if c.client != nil {
			c.client.finish(nil)
		}
	}
	s.mu.Unlock()
	for _, c := range channels {
		c.Agent.Close()
	}
}

// Serve serves a client's connection to a session until it ends.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, session string) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered.
	}
	defer socket.CloseNow() //nolint:errcheck // It is closed already where all went well.
	socket.SetReadLimit(MaxFrame)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c, client := s.open(ctx, socket, session)
	if c == nil {
		_ = socket.Close(websocket.StatusPolicyViolation, "the token is not valid") // Either way it is closed.
		return
	}
	defer s.leave(c, client)
	client.push(c.Agent.Connect(time.Now())...)
	s.checkEnd(c)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	wait.Go(func() {
		_ = client.write(ctx) // Whatever it is, the connection is over.
		cancel()
	})
	wait.Go(func() { s.watch(ctx, c, client) })
	s.read(ctx, c, client)
}

// open checks the first message of a client and makes its connection that of the
// session, in place of an earlier one. It returns nil when the token is not valid.
func (s *Service) open(ctx context.Context, socket *websocket.Conn, session string) (*channel, *conn) {
	limited, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	_, message, err := socket.Read(limited)
	var hello Open
	if err != nil || json.Unmarshal(message, &hello) != nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.channels[session]
	if !ok || !c.tokens[hello.TokenValue] {
		return nil, nil
	}
	delete(c.tokens, hello.TokenValue)
	if c.client != nil {
		c.client.finish(nil)
	}
	c.client = newConn(socket)
	return c, c.client
}

// leave notes that a connection is over. A program that has ended needs no other.
func (s *Service) leave(c *channel, client *conn) {
	s.mu.Lock()
	last := c.client == client
	if last {
		c.client = nil
	}
	s.mu.Unlock()
	if last && c.Agent.Over() {
		s.Exited(c.ID)
		s.End(c.ID)
	}
}

// read passes on what the client sends.
func (s *Service) read(ctx context.Context, c *channel, client *conn) {
	for {
		kind, message, err := client.socket.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageBinary {
			continue
		}
		out, err := c.Agent.Receive(time.Now(), message)
		_ = err // The agent has dropped what it could not read.
		client.push(out...)
		s.checkEnd(c)
	}
}

// watch sends what is overdue, and output that comes unasked.
func (s *Service) watch(ctx context.Context, c *channel, client *conn) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-c.Agent.Changed():
		}
		client.push(c.Agent.Tick(time.Now())...)
		s.checkEnd(c)
	}
}

// checkEnd ends the session where it has ended on the node.
func (s *Service) checkEnd(c *channel) {
	reason, ended := c.Agent.Ended()
	if !ended {
		return
	}
	s.mu.Lock()
	c.reason = reason
	s.mu.Unlock()
	// AWS knows of the end before the client does.
	s.Exited(c.ID)
	s.End(c.ID)
}
