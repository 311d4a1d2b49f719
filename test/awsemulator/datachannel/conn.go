package datachannel

import (
	"context"
	"errors"
	"sync"

	"github.com/coder/websocket"
)

// queued is how many frames wait for a client that does not read. Those above are
// dropped, and sent again when they are overdue.
const queued = 4 * window

// conn is a client's connection. One goroutine writes, so that one that reads never
// waits for a client that does not.
type conn struct {
	socket *websocket.Conn
	frames chan []byte

	once    sync.Once
	closing chan struct{}
	last    []byte
}

func newConn(socket *websocket.Conn) *conn {
	return &conn{socket: socket, frames: make(chan []byte, queued), closing: make(chan struct{})}
}

// push sends frames, without waiting.
func (c *conn) push(frames ...[]byte) {
	for _, f := range frames {
		select {
		case c.frames <- f:
		default:
			return
		}
	}
}

// finish sends what is queued and a last frame, where there is one, and closes the
// connection.
func (c *conn) finish(last []byte) {
	c.once.Do(func() {
		c.last = last
		close(c.closing)
	})
}

// write writes until the connection is finished or the context ends.
func (c *conn) write(ctx context.Context) error {
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
func (c *conn) end(ctx context.Context) error {
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
