package datachannel

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	// window is how many frames are sent before the first of them is acknowledged.
	window = 64
	// early is how many frames are kept that came before their turn.
	maxEarly = 4096
	// resendAfter is how long an acknowledgement is waited for.
	resendAfter = 500 * time.Millisecond
)

// stream numbers, acknowledges and sends again what an agent and a client say to
// one another. It outlives their connections. It is not safe for concurrent use.
type stream struct {
	kind string // of the frames that are sent

	next int64
	sent []sentFrame // not yet acknowledged, by sequence number

	expected int64
	early    map[int64]Frame
}

type sentFrame struct {
	sequence int64
	at       time.Time
	frame    []byte
}

func newStream(kind string) *stream { return &stream{kind: kind, early: map[int64]Frame{}} }

// room is how many frames may be sent now.
func (s *stream) room() int { return window - len(s.sent) }

// idle reports whether everything that was sent is acknowledged.
func (s *stream) idle() bool { return len(s.sent) == 0 }

// send makes the next frame and keeps it until it is acknowledged.
func (s *stream) send(now time.Time, t PayloadType, payload []byte) []byte {
	f := Frame{Type: s.kind, Schema: 1, Created: now, Sequence: s.next, ID: uuid.New(), PayloadType: t, Payload: payload}
	if s.next == 0 {
		f.Flags = 1 // The first of its stream.
	}
	raw := f.Marshal()
	s.sent = append(s.sent, sentFrame{s.next, now, raw})
	s.next++
	return raw
}

// acknowledged takes in an acknowledgement. One of a frame that is not waited
// for, or that cannot be read, changes nothing.
func (s *stream) acknowledged(f Frame) {
	var a acknowledgement
	if json.Unmarshal(f.Payload, &a) != nil || strings.TrimRight(a.AcknowledgedMessageType, " \x00") != s.kind {
		return
	}
	for i := range s.sent {
		if s.sent[i].sequence == a.AcknowledgedMessageSequenceNumber {
			s.sent = append(s.sent[:i], s.sent[i+1:]...)
			return
		}
	}
}

// receive takes in stream data. It returns what is now in order, and whether to
// acknowledge the frame: one that came before its turn is as long as there is
// room for it, and one that came again is.
func (s *stream) receive(f Frame) (ready []Frame, acknowledge bool) {
	switch {
	case f.Sequence < s.expected:
		return nil, true
	case f.Sequence > s.expected:
		if len(s.early) >= maxEarly {
			return nil, false
		}
		f.Payload = append([]byte(nil), f.Payload...)
		s.early[f.Sequence] = f
		return nil, true
	}
	ready = append(ready, f)
	s.expected++
	for {
		next, ok := s.early[s.expected]
		if !ok {
			return ready, true
		}
		delete(s.early, s.expected)
		ready = append(ready, next)
		s.expected++
	}
}

// overdue returns the frames that were not acknowledged in time, all of them with
// since zero.
func (s *stream) overdue(now time.Time, patience time.Duration) [][]byte {
	var again [][]byte
	for i := range s.sent {
		if now.Sub(s.sent[i].at) >= patience {
			s.sent[i].at = now
			again = append(again, s.sent[i].frame)
		}
	}
	return again
}
