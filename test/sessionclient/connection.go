package sessionclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

const (
	// attempts is how often a client tries to resume, firstPause how long it waits
	// after the first failure; each pause is twice the one before.
	attempts   = 6
	firstPause = 150 * time.Millisecond
	// resendInterval is how often messages without an acknowledgement are sent again.
	resendInterval = 100 * time.Millisecond
)

// link is one connection. Messages are queued for it; one that finds the queue full is
// sent again later.
type link struct {
	socket *websocket.Conn
	queue  chan []byte
}

func (l *link) write(messages ...[]byte) {
	for _, m := range messages {
		select {
		case l.queue <- m:
		default:
			return
		}
	}
}

// dial connects and authenticates by the token.
func (s *Session) dial(ctx context.Context, token string) (*link, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.options.StreamURL, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("open the data channel: %w", err)
	}
	if s.options.Sign != nil {
		if err := s.options.Sign(request); err != nil {
			return nil, fmt.Errorf("sign the request for the data channel: %w", err)
		}
	}
	//nolint:bodyclose // The library keeps the body, or has read it.
	socket, response, err := websocket.Dial(ctx, s.options.StreamURL, &websocket.DialOptions{HTTPClient: s.options.HTTPClient, HTTPHeader: request.Header})
	if err != nil {
		if response != nil {
			return nil, fmt.Errorf("open the data channel: %s: %w", response.Status, err)
		}
		return nil, fmt.Errorf("open the data channel: %w", err)
	}
	socket.SetReadLimit(channelmessage.MaxMessage)
	hello, err := json.Marshal(map[string]string{
		"MessageSchemaVersion": "1.0", "RequestId": channelmessage.TextOf(channelmessage.NewID()), "TokenValue": token, "ClientId": channelmessage.TextOf(channelmessage.NewID()), "ClientVersion": version,
	})
	if err == nil {
		err = socket.Write(ctx, websocket.MessageText, hello)
	}
	if err != nil {
		_ = socket.CloseNow() // It has failed already.
		return nil, fmt.Errorf("send the token of the data channel: %w", err)
	}
	return &link{socket: socket, queue: make(chan []byte, 4*channelmessage.MaxPending)}, nil
}

// run keeps the session connected until it ends.
func (s *Session) run(ctx context.Context, l *link) {
	defer close(s.done)
	defer s.cancel()
	for {
		err := s.serve(ctx, l)
		if s.hasEnded() {
			return
		}
		if ctx.Err() == nil && s.options.Resume != nil {
			l, err = s.reconnect(ctx)
		} else if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			s.end("", err)
			return
		}
		s.mu.Lock()
		s.link = l
		now := time.Now()
		again := s.out.Again(now, now)
		s.mu.Unlock()
		l.write(again...)
	}
}

// reconnect resumes the session, with pauses between the attempts.
func (s *Session) reconnect(ctx context.Context) (*link, error) {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		l, err := s.resume(ctx)
		if err == nil || attempt == attempts {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
			pause *= 2
		}
	}
}

func (s *Session) resume(ctx context.Context) (*link, error) {
	token, err := s.options.Resume(ctx)
	if err != nil {
		return nil, fmt.Errorf("resume the session: %w", err)
	}
	return s.dial(ctx, token)
}

// serve reads and writes until the connection ends.
func (s *Session) serve(ctx context.Context, l *link) error {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer l.socket.CloseNow() //nolint:errcheck // It is over, however it ended.
	defer cancel()
	wait.Go(func() { s.sender(ctx, l) })
	for {
		kind, raw, err := l.socket.Read(ctx)
		if err != nil {
			return fmt.Errorf("read from the data channel: %w", err)
		}
		if kind != websocket.MessageBinary {
			continue
		}
		answers, err := s.receive(ctx, raw)
		l.write(answers...)
		if s.hasEnded() {
			return nil
		}
		_ = err // What cannot be read is dropped; it comes again if it was damaged on its way.
	}
}

// sender writes what is queued and, in time, what was not acknowledged.
func (s *Session) sender(ctx context.Context, l *link) {
	ticker := time.NewTicker(resendInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-l.queue:
			if l.socket.Write(ctx, websocket.MessageBinary, m) != nil {
				return // Reading fails too, and ends the connection.
			}
		case <-ticker.C:
			s.mu.Lock()
			now := time.Now()
			again := s.out.Again(now, now.Add(-channelmessage.Patience))
			s.mu.Unlock()
			l.write(again...)
		}
	}
}
