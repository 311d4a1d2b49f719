// Package controlchannel is the control channel of Session Manager: the connection that
// the agent of a node keeps open, over which the service starts sessions and ends them,
// and the agent says when one has ended on the node.
//
// What agents do on the wire was read from amazon-ssm-agent 3.3.1142.0, and seen in runs
// of it.
package controlchannel

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/datachannel"
)

// maxMessage is the size of the largest message that is read. Agents send up to 142,000
// bytes in one.
const maxMessage = 1 << 20

// Service has the control channels of all nodes. It is safe for concurrent use.
type Service struct {
	// Connected is called when the channel of a node opens, and when it closes.
	Connected func(node string, connected bool)
	// Completed is called when a session has ended on its node, with the reason that the
	// agent gives for an end that is no ordinary one.
	Completed func(session, reason string)

	mu     sync.Mutex
	tokens map[string]string // nodes, by token
	nodes  map[string]*datachannel.Conn
	runs   map[string]string // nodes, by the session that they run
}

// NewService returns a service without channels.
func NewService(connected func(node string, connected bool), completed func(session, reason string)) *Service {
	return &Service{Connected: connected, Completed: completed, tokens: map[string]string{}, nodes: map[string]*datachannel.Conn{}, runs: map[string]string{}}
}

// Admit lets the bearer of a token connect as a node, once.
func (s *Service) Admit(token, node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = node
}

// Has reports whether a node is connected.
func (s *Service) Has(node string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[node] != nil
}

// Start asks a node to run a session.
func (s *Service) Start(node string, start Start) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[start.SessionId] = node
	s.push(node, start.frame(time.Now()))
}

// End asks the node that runs a session to end it. Nothing happens when none does, or no
// longer.
func (s *Service) End(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if node, ok := s.runs[session]; ok {
		delete(s.runs, session)
		s.push(node, datachannel.ClosedFrame(session, node, "", time.Now()))
	}
}

// push sends a frame to a node. The mutex is held.
func (s *Service) push(node string, frame []byte) {
	if c := s.nodes[node]; c != nil {
		c.Push(frame)
	}
}

// complete notes that a node runs a session no longer. It reports false where the node
// did not.
func (s *Service) complete(node, session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs[session] != node {
		return false
	}
	delete(s.runs, session)
	return true
}

// Cut closes the channel of a node, as AWS does with one that is deregistered.
func (s *Service) Cut(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.nodes[node]; c != nil {
		c.Finish(nil)
	}
}

// Close closes all channels.
func (s *Service) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.nodes {
		c.Finish(nil)
	}
}

// Serve serves the connection of a node until it ends.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, node string) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered.
	}
	defer socket.CloseNow() //nolint:errcheck // It is closed already where all went well.
	socket.SetReadLimit(maxMessage)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := s.open(ctx, socket, node)
	if c == nil {
		_ = socket.Close(websocket.StatusPolicyViolation, "the token is not valid") // Either way it is closed.
		return
	}
	s.Connected(node, true)
	defer s.leave(node, c)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	wait.Go(func() {
		_ = c.Write(ctx) // Whatever it is, the connection is over.
		cancel()
	})
	s.read(ctx, node, socket, c)
}

// open makes a connection that of a node, in place of an earlier one, when its token is
// valid.
func (s *Service) open(ctx context.Context, socket *websocket.Conn, node string) *datachannel.Conn {
	token := datachannel.ReadToken(ctx, socket)
	s.mu.Lock()
	defer s.mu.Unlock()
	if admitted, ok := s.tokens[token]; !ok || admitted != node {
		return nil
	}
	delete(s.tokens, token)
	if earlier := s.nodes[node]; earlier != nil {
		earlier.Finish(nil)
	}
	c := datachannel.NewConn(socket)
	s.nodes[node] = c
	return c
}

// leave notes that a connection is over.
func (s *Service) leave(node string, c *datachannel.Conn) {
	s.mu.Lock()
	last := s.nodes[node] == c
	if last {
		delete(s.nodes, node)
	}
	s.mu.Unlock()
	if last {
		s.Connected(node, false)
	}
}

// read takes what a node says. What it cannot read it drops, like what else agents send
// over this channel, as the numbers of their audit log.
func (s *Service) read(ctx context.Context, node string, socket *websocket.Conn, c *datachannel.Conn) {
	for {
		kind, raw, err := socket.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageBinary {
			continue
		}
		done, acknowledgement, ok := completion(raw, time.Now())
		if !ok {
			continue
		}
		c.Push(acknowledgement)
		if s.complete(node, done.TaskId) {
			s.Completed(done.TaskId, done.reason())
		}
	}
}
