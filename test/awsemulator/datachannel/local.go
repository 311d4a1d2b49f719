package datachannel

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// read gives to an agent in the emulator what the client sends.
func (s *Service) read(ctx context.Context, c *channel, client *Conn) {
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
		client.Push(out...)
		s.checkEnd(c)
	}
}

// watch sends what is overdue, and output that comes unasked.
func (s *Service) watch(ctx context.Context, c *channel, client *Conn) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-c.Agent.Changed():
		}
		client.Push(c.Agent.Tick(time.Now())...)
		s.checkEnd(c)
	}
}

// checkEnd ends the session where it has ended on the node.
func (s *Service) checkEnd(c *channel) {
	if reason, ended := c.Agent.Ended(); ended {
		s.Finish(c.ID, reason)
	}
}
