package datachannel

import (
	"bytes"
	"context"

	"github.com/coder/websocket"
)

// relay passes on what one side of a session sends to the other, as it is. While the other
// is not connected it is dropped: both sides send again what is not acknowledged.
func (s *Service) relay(ctx context.Context, c *channel, from side, end *Conn) {
	for {
		kind, message, err := end.socket.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageBinary || !relayed(message) {
			continue
		}
		if to := s.other(c, from); to != nil {
			to.pass(ctx, message)
		}
	}
}

// other is the connection of the other side, nil where there is none.
func (s *Service) other(c *channel, from side) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.ends[1-from]
}

// relayed reports whether a frame is for the other side. Agents also say to the service
// in what state a session is.
func relayed(frame []byte) bool {
	if len(frame) < payloadAt {
		return false
	}
	switch string(bytes.TrimRight(frame[typeAt:typeAt+typeSize], " \x00")) {
	case TypeInput, TypeOutput, TypeAcknowledge:
		return true
	}
	return false
}
