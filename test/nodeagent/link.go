package nodeagent

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

// link is a connection of a channel. Messages are queued for it; one that finds the queue
// full is dropped.
type link struct {
	socket *websocket.Conn
	queue  chan []byte
}

// dial connects to a channel and authenticates by the token in hello.
func (a *Agent) dial(ctx context.Context, path string, hello map[string]string) (*link, error) {
	address := strings.TrimSuffix(a.options.Endpoint, "/") + path
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err == nil {
		err = a.sign("ssmmessages")(r, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("open a channel: %w", err)
	}
	//nolint:bodyclose // The library keeps the body, or has read it.
	socket, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(address, "http"), &websocket.DialOptions{HTTPClient: a.options.HTTPClient, HTTPHeader: r.Header})
	if err != nil {
		return nil, fmt.Errorf("open a channel: %w", err)
	}
	socket.SetReadLimit(channelmessage.MaxMessage)
	hello["MessageSchemaVersion"], hello["RequestId"] = "1.0", channelmessage.TextOf(channelmessage.NewID())
	text, err := json.Marshal(hello)
	if err == nil {
		err = socket.Write(ctx, websocket.MessageText, text)
	}
	if err != nil {
		_ = socket.CloseNow() // It has failed already.
		return nil, fmt.Errorf("send the token of a channel: %w", err)
	}
	return &link{socket: socket, queue: make(chan []byte, 4*channelmessage.MaxPending)}, nil
}

// write sends messages, without waiting.
func (l *link) write(messages ...[]byte) {
	for _, m := range messages {
		select {
		case l.queue <- m:
		default:
			return
		}
	}
}

// serve reads and writes until the connection or the context ends, and the queue is sent.
func (l *link) serve(ctx context.Context, handle func(channelmessage.Message)) {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer l.socket.CloseNow() //nolint:errcheck // It is over, however it ended.
	defer cancel()
	wait.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case m := <-l.queue:
				if l.socket.Write(ctx, websocket.MessageBinary, m) != nil {
					return // Reading fails too, and ends the connection.
				}
			}
		}
	})
	for {
		kind, raw, err := l.socket.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageBinary {
			continue
		}
		if m, err := channelmessage.Decode(raw); err == nil {
			handle(m)
		}
	}
}
