package datachannel

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// queued is how many frames wait for a client that does not read. Those above are
// dropped, and sent again when they are overdue.
const queued = 4 * window

// passTime is how long a frame waits for room in the queue of a slow reader. A client that sent
// it sends it again.
const passTime = time.Second

// Conn is the connection of a client or an agent. One goroutine writes, so that one that
// reads never waits for a peer that does not.
type Conn struct {
	socket *websocket.Conn
	frames chan []byte

	once    sync.Once
	closing chan struct{}
	last    []byte
}

// NewConn returns a connection that waits for Write.
func NewConn(socket *websocket.Conn) *Conn {
	return &Conn{socket: socket, frames: make(chan []byte, queued), closing: make(chan struct{})}
}

// Push sends frames, without waiting.
func (c *Conn) Push(frames ...[]byte) {
	for _, f := range frames {
		select {
		case c.frames <- f:
		default:
			return
		}
	}
}

// pass sends a frame, and waits for room for a while.
func (c *Conn) pass(ctx context.Context, f []byte) {
	select {
	case c.frames <- f:
		return
	default:
	}
	timer := time.NewTimer(passTime)
	defer timer.Stop()
	select {
	case c.frames <- f:
	case <-timer.C:
	case <-c.closing:
	case <-ctx.Done():
	}
}

// Finish sends what is queued and a last frame, where there is one, and closes the
// connection.
func (c *Conn) Finish(last []byte) {
	c.once.Do(func() {
		c.last = last
		close(c.closing)
	})
}

// Write writes until the connection is finished or the context ends.
func (c *Conn) Write(ctx context.Context) error {
	for {
		select {
		case f := <-c.frames:
			if err := c.socket.Write(ctx, websocket.MessageBinary, f); err != nil {
				return err
			}
		case <-c.closing:
			return c.end(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// end writes what is left.
func (c *Conn) end(ctx context.Context) error {
	for {
		select {
		case f := <-c.frames:
			if err := c.socket.Write(ctx, websocket.MessageBinary, f); err != nil {
				return err
			}
			continue
		default:
		}
		break
	}
	if c.last == nil {
		return c.socket.CloseNow()
	}
	return errors.Join(c.socket.Write(ctx, websocket.MessageBinary, c.last), c.socket.Close(websocket.StatusNormalClosure, ""))
}
