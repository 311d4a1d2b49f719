package sessionclient

import (
	"encoding/json"
	"slices"
	"time"
)

const (
	// maxPending is how many messages may wait to be acknowledged.
	maxPending = 64
	// maxAhead is how many messages are kept that came before their turn.
	maxAhead = 1024
	// patience is how long an acknowledgement is waited for.
	patience = 500 * time.Millisecond
)

// receipt acknowledges a message.
type receipt struct {
	Kind     string `json:"AcknowledgedMessageType"`
	ID       string `json:"AcknowledgedMessageId"`
	Sequence int64  `json:"AcknowledgedMessageSequenceNumber"`
	InOrder  bool   `json:"IsSequentialMessage"`
}

func receiptFor(m message, now time.Time) []byte {
	body, err := json.Marshal(receipt{m.kind, textOf(m.id), m.sequence, true})
	if err != nil {
		panic(err) // Text and numbers.
	}
	return message{kind: kindAcknowledge, id: newID(), body: body}.encode(now)
}

// outgoing is what was sent and not acknowledged. It is not safe for concurrent use.
type outgoing struct {
	next    int64
	pending []pending
}

type pending struct {
	sequence int64
	sent     time.Time
	raw      []byte
}

func (o *outgoing) full() bool { return len(o.pending) >= maxPending }

// add numbers a message and keeps it.
func (o *outgoing) add(now time.Time, content uint32, body []byte) []byte {
	raw := message{kind: kindInput, sequence: o.next, id: newID(), content: content, body: body}.encode(now)
	o.pending = append(o.pending, pending{o.next, now, raw})
	o.next++
	return raw
}

// acknowledged takes in a receipt.
func (o *outgoing) acknowledged(body []byte) {
	var r receipt
	if json.Unmarshal(body, &r) != nil {
		return
	}
	o.pending = slices.DeleteFunc(o.pending, func(p pending) bool { return p.sequence == r.Sequence })
}

// again returns what was sent before a time and not acknowledged.
func (o *outgoing) again(now, before time.Time) [][]byte {
	var list [][]byte
	for i := range o.pending {
		if p := &o.pending[i]; !p.sent.After(before) {
			p.sent = now
			list = append(list, p.raw)
		}
	}
	return list
}

// incoming puts what comes into its order.
type incoming struct {
	next  int64
	ahead map[int64]message
}

// take returns the messages whose turn it is, and whether m is kept: then
// acknowledge it.
func (in *incoming) take(m message) (ready []message, kept bool) {
	if m.sequence < in.next {
		return nil, true
	}
	if m.sequence > in.next && (m.sequence-in.next > maxAhead || len(in.ahead) >= maxAhead) {
		return nil, false
	}
	if in.ahead == nil {
		in.ahead = map[int64]message{}
	}
	in.ahead[m.sequence] = m
	for {
		m, ok := in.ahead[in.next]
		if !ok {
			return ready, true
		}
		delete(in.ahead, in.next)
		ready = append(ready, m)
		in.next++
	}
}
