package sessionclient

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

const (
	// dataSize is how much input goes into a message.
	dataSize = 1024
	// maxUnread is how much output waits to be read; what comes then is not
	// acknowledged, and the node sends it again.
	maxUnread = 256 << 10
)

// ErrClosed is returned for input to a session that has ended.
var ErrClosed = errors.New("the session has ended")

// Options says to which session to connect, and how.
type Options struct {
	// StreamURL, Token and SessionID are what StartSession answered.
	StreamURL, Token, SessionID string
	// Target is the node.
	Target string
	// Sign signs the request that opens the channel. Without it the token alone
	// authenticates, as it does for old plugins.
	Sign func(*http.Request) error
	// Resume calls ResumeSession when the connection is lost and returns the new
	// token. Without it the session ends for this client.
	Resume func(context.Context) (token string, err error)
	// DataKey gets keys for encrypted sessions.
	DataKey KeyMaker
	// HTTPClient connects; the default one when nil.
	HTTPClient *http.Client
}

// Session is a client's side of a session. It is safe for concurrent use.
type Session struct {
	options Options
	cancel  context.CancelFunc
	done    chan struct{}
	known   chan struct{} // closed when the type is known

	mu         sync.Mutex
	changed    *sync.Cond
	link       *link
	out        channelmessage.Outgoing
	in         channelmessage.Incoming
	unread     []byte
	kind       string
	agent      string
	properties map[string]any
	encryption *channelmessage.Encryption
	isKnown    bool
	ended      bool
	reason     string
	err        error
}

// Open connects to a session. It returns when the channel is open; the context ends
// the session's connection.
func Open(ctx context.Context, o Options) (*Session, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &Session{options: o, cancel: cancel, done: make(chan struct{}), known: make(chan struct{}), out: channelmessage.Outgoing{Kind: channelmessage.KindInput}}
	s.changed = sync.NewCond(&s.mu)
	l, err := s.dial(ctx, o.Token)
	if err != nil {
		cancel()
		return nil, err
	}
	s.link = l
	go s.run(ctx, l)
	return s, nil
}

// Read returns output. When all is read it returns io.EOF for a session that was closed, and
// another error for one that was lost.
func (s *Session) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.unread) == 0 && !s.ended {
		s.changed.Wait()
	}
	if len(s.unread) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		return 0, io.EOF
	}
	n := copy(p, s.unread)
	s.unread = s.unread[n:]
	return n, nil
}

// Write sends input. It waits while much of what was sent is not acknowledged.
func (s *Session) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), dataSize)
		if err := s.send(channelmessage.ContentData, p[:n]); err != nil {
			return written, err
		}
		written, p = written+n, p[n:]
	}
	return written, nil
}

// Resize says how large the terminal is.
func (s *Session) Resize(columns, rows int) error {
	body, err := json.Marshal(map[string]int{"cols": columns, "rows": rows})
	if err != nil {
		return err
	}
	return s.send(channelmessage.ContentSize, body)
}

// Terminate asks the node to end the session.
func (s *Session) Terminate() error {
	return s.send(channelmessage.ContentFlag, binary.BigEndian.AppendUint32(nil, channelmessage.FlagTerminate))
}

// Close ends the connection; the session itself continues.
func (s *Session) Close() error {
	s.cancel()
	<-s.done
	return nil
}

// Done is closed when the session has ended for this client.
func (s *Session) Done() <-chan struct{} { return s.done }

// Closed reports whether the service has closed the channel, and the reason that it gave.
func (s *Session) Closed() (reason string, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason, s.ended && s.err == nil
}

// Type returns the session type when the node has announced it, or has begun to
// send output.
func (s *Session) Type(ctx context.Context) (string, error) {
	select {
	case <-s.known:
	case <-s.done:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isKnown {
		return "", errors.Join(ErrClosed, s.err)
	}
	return s.kind, nil
}

// send encrypts, numbers and sends a message.
func (s *Session) send(content uint32, body []byte) error {
	s.mu.Lock()
	// Before the handshake is complete the node takes no input, and drops it.
	for (!s.isKnown || s.out.Full()) && !s.ended {
		s.changed.Wait()
	}
	if s.ended {
		s.mu.Unlock()
		return ErrClosed
	}
	raw, l := s.add(content, body), s.link
	s.mu.Unlock()
	l.write(raw)
	return nil
}

// add makes a message of the outgoing stream. The mutex is held.
func (s *Session) add(content uint32, body []byte) []byte {
	if s.encryption != nil && content == channelmessage.ContentData {
		body = s.encryption.Encrypt(body)
	}
	return s.out.Add(time.Now(), content, body)
}

// receive takes a message of the service and returns what to answer.
func (s *Session) receive(ctx context.Context, raw []byte) ([][]byte, error) {
	m, err := channelmessage.Decode(raw)
	if err != nil {
		return nil, err
	}
	switch m.Kind {
	case channelmessage.KindAcknowledge:
		s.mu.Lock()
		s.out.Acknowledged(m.Body)
		s.changed.Broadcast()
		s.mu.Unlock()
	case channelmessage.KindClosed:
		var c struct{ Output string }
		_ = json.Unmarshal(m.Body, &c) // Closed it is, whatever it says.
		s.end(c.Output, nil)
	case channelmessage.KindOutput:
		return s.takeOutput(ctx, m)
	}
	return nil, nil
}

func (s *Session) takeOutput(ctx context.Context, m channelmessage.Message) ([][]byte, error) {
	s.mu.Lock()
	if len(s.unread) >= maxUnread {
		s.mu.Unlock()
		return nil, nil
	}
	ready, kept := s.in.Take(m)
	s.mu.Unlock()
	var out [][]byte
	if kept {
		out = append(out, channelmessage.ReceiptFor(m, time.Now()))
	}
	for _, m := range ready {
		content, body, err := s.process(ctx, m)
		if err != nil {
			return out, err
		}
		if body != nil {
			s.mu.Lock()
			out = append(out, s.add(content, body))
			s.mu.Unlock()
		}
	}
	return out, nil
}

// process takes a message in its order and returns the body of the answer.
func (s *Session) process(ctx context.Context, m channelmessage.Message) (content uint32, body []byte, err error) {
	switch m.Content {
	case channelmessage.ContentHandshake:
		body, err = s.answer(ctx, m.Body)
		return channelmessage.ContentHandshakeAnswer, body, err
	case channelmessage.ContentChallenge:
		body, err = s.meet(m.Body)
		return channelmessage.ContentChallengeAnswer, body, err
	case channelmessage.ContentHandshakeDone:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.know()
	case channelmessage.ContentData, channelmessage.ContentErrors, channelmessage.ContentExitCode:
		return 0, nil, s.output(m)
	}
	return 0, nil, nil
}

func (s *Session) output(m channelmessage.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := m.Body
	if s.encryption != nil {
		plain, err := s.encryption.Decrypt(data)
		if err != nil {
			return err
		}
		data = plain
	}
	if m.Content != channelmessage.ContentExitCode {
		s.unread = append(s.unread, data...)
	}
	if s.kind == "" {
		// Without a handshake it is a shell.
		s.kind = "Standard_Stream"
	}
	s.know()
	s.changed.Broadcast()
	return nil
}

// know notes that the type is known. The mutex is held.
func (s *Session) know() {
	if !s.isKnown {
		s.isKnown = true
		close(s.known)
		s.changed.Broadcast()
	}
}

// end notes that the session has ended for this client.
func (s *Session) end(reason string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended, s.reason, s.err = true, reason, err
	}
	s.changed.Broadcast()
}

func (s *Session) hasEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}
