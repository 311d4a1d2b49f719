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
	// Agent is the node's side of a machine that exists only in the emulator. It is
	// nil for a node whose agent connects to the channel itself.
	Agent *Agent
}

// side is which end of a session a connection is.
type side int

const (
	clientSide side = iota
	nodeSide
	sides
)

// Service relays between clients and nodes. It is safe for concurrent use.
type Service struct {
	// Exited is called when a session has ended on its node.
	Exited func(session string)

	mu       sync.Mutex
	channels map[string]*channel
	// failed are the last frames of sessions that failed before their client connected,
	// by its token.
	failed map[string][]byte
}

// channel is that of one session. The service's mutex guards it.
type channel struct {
	Session
	// tokens say which side may connect by them.
	tokens map[string]side
	// reason is why the session ended on its node, where that is no ordinary end.
	reason string
	ends   [sides]*Conn
}

// NewService returns a service without sessions.
func NewService(exited func(session string)) *Service {
	return &Service{Exited: exited, channels: map[string]*channel{}, failed: map[string][]byte{}}
}

// Admit lets the bearer of a token connect to a session, once.
func (s *Service) Admit(token, session string, open func() Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.channels[session]
	if !ok {
		c = &channel{Session: open(), tokens: map[string]side{}}
		s.channels[session] = c
	}
	c.tokens[token] = clientSide
}

// AdmitNode lets the bearer of a token connect to a session as its node, once. It reports
// false for a session that has ended, or whose node exists only in the emulator.
func (s *Service) AdmitNode(token, session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.channels[session]
	if !ok || c.Agent != nil {
		return false
	}
	c.tokens[token] = nodeSide
	return true
}

// Finish ends a session because it has ended on its node. The reason is empty where the
// program ended by itself.
func (s *Service) Finish(session, reason string) {
	s.mu.Lock()
	if c, ok := s.channels[session]; ok {
		c.reason = reason
	}
	s.mu.Unlock()
	// AWS knows of the end before the client does.
	s.Exited(session)
	s.End(session)
}

// End ends a session: both sides are sent that the channel is closed. Nothing happens
// when it has no channel.
func (s *Service) End(session string) {
	s.mu.Lock()
	c, ok := s.channels[session]
	delete(s.channels, session)
	if ok {
		s.sendClosed(c)
	}
	s.mu.Unlock()
	if ok {
		c.close()
	}
}

// sendClosed sends to both sides that the channel is closed. A client that has yet to
// connect is sent the reason of a failure when it does. The mutex is held.
func (s *Service) sendClosed(c *channel) {
	last := ClosedFrame(c.ID, c.Target, c.reason, time.Now())
	for _, end := range c.ends {
		if end != nil {
			end.Finish(last)
		}
	}
	for token, of := range c.tokens {
		if of == clientSide && c.reason != "" {
			s.failed[token] = last
		}
	}
}

// close ends the node's side, where that is in the emulator.
func (c *channel) close() {
	if c.Agent != nil {
		c.Agent.Close()
	}
}

// Cut closes the connection of a session's client as a network does. The session
// continues. It reports whether there was a connection.
func (s *Service) Cut(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.channels[session]
	if !ok || c.ends[clientSide] == nil {
		return false
	}
	_ = c.ends[clientSide].socket.CloseNow() // It is closed, with an error too.
	c.ends[clientSide] = nil
	return true
}

// Connected reports whether a client is connected to a session.
func (s *Service) Connected(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.channels[session]
	return ok && c.ends[clientSide] != nil
}

// Close ends all sessions without a word.
func (s *Service) Close() {
	s.mu.Lock()
	channels := s.channels
	s.channels = map[string]*channel{}
	for _, c := range channels {
		for _, end := range c.ends {
			if end != nil {
				end.Finish(nil)
			}
		}
	}
	s.mu.Unlock()
	for _, c := range channels {
		c.close()
	}
}

// Serve serves the connection of a client or an agent to a session until it ends.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, session string) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered.
	}
	defer socket.CloseNow() //nolint:errcheck // It is closed already where all went well.
	socket.SetReadLimit(MaxFrame)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c, from, end := s.open(ctx, socket, session)
	if c == nil {
		_ = socket.Close(websocket.StatusPolicyViolation, "the token is not valid") // Either way it is closed.
		return
	}
	defer s.leave(c, from, end)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	wait.Go(func() {
		_ = end.Write(ctx) // Whatever it is, the connection is over.
		cancel()
	})
	if c.Agent == nil {
		s.relay(ctx, c, from, end)
		return
	}
	end.Push(c.Agent.Connect(time.Now())...)
	s.checkEnd(c)
	wait.Go(func() { s.watch(ctx, c, end) })
	s.read(ctx, c, end)
}

// open checks the first message of a client or an agent and makes its connection that of
// the session, in place of an earlier one. It returns nil when the token is not valid.
func (s *Service) open(ctx context.Context, socket *websocket.Conn, session string) (*channel, side, *Conn) {
	token := ReadToken(ctx, socket)
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.failed[token]; ok {
		delete(s.failed, token)
		_ = socket.Write(ctx, websocket.MessageBinary, last) // It is closed next, either way.
		return nil, 0, nil
	}
	c, ok := s.channels[session]
	if !ok {
		return nil, 0, nil
	}
	from, ok := c.tokens[token]
	if !ok {
		return nil, 0, nil
	}
	delete(c.tokens, token)
	if c.ends[from] != nil {
		c.ends[from].Finish(nil)
	}
	c.ends[from] = NewConn(socket)
	return c, from, c.ends[from]
}

// ReadToken reads the first message on a channel and returns the token in it.
func ReadToken(ctx context.Context, socket *websocket.Conn) string {
	limited, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	_, message, err := socket.Read(limited)
	var hello Open
	if err != nil || json.Unmarshal(message, &hello) != nil {
		return ""
	}
	return hello.TokenValue
}

// leave notes that a connection is over. A program that has ended needs no other.
func (s *Service) leave(c *channel, from side, end *Conn) {
	s.mu.Lock()
	last := c.ends[from] == end
	if last {
		c.ends[from] = nil
	}
	s.mu.Unlock()
	if last && c.Agent != nil && c.Agent.Over() {
		s.Exited(c.ID)
		s.End(c.ID)
	}
}
