package channelmessage

import (
	"encoding/json"
	"slices"
	"time"
)

const (
	// MaxPending is how many messages may wait to be acknowledged.
	MaxPending = 64
	// maxAhead is how many messages are kept that came before their turn.
	maxAhead = 1024
	// Patience is how long an acknowledgement is waited for.
	Patience = 500 * time.Millisecond
)

// receipt is the body of an acknowledgement.
type receipt struct {
	Kind     string `json:"AcknowledgedMessageType"`
	ID       string `json:"AcknowledgedMessageId"`
	Sequence int64  `json:"AcknowledgedMessageSequenceNumber"`
	InOrder  bool   `json:"IsSequentialMessage"`
}

// ReceiptFor acknowledges a message.
func ReceiptFor(m Message, now time.Time) []byte {
	body, err := json.Marshal(receipt{m.Kind, TextOf(m.ID), m.Sequence, true})
	if err != nil {
		panic(err) // Text and numbers.
	}
	return Message{Kind: KindAcknowledge, ID: NewID(), Body: body}.Encode(now)
}

// Outgoing is what was sent and not acknowledged. It is not safe for concurrent use.
type Outgoing struct {
	// Kind is that of its messages.
	Kind    string
	next    int64
	pending []pending
}

type pending struct {
	sequence int64
	sent     time.Time
	raw      []byte
}

// Full reports whether to wait for acknowledgements.
func (o *Outgoing) Full() bool { return len(o.pending) >= MaxPending }

// Idle reports whether all is acknowledged.
func (o *Outgoing) Idle() bool { return len(o.pending) == 0 }

// Add numbers a message and keeps it.
func (o *Outgoing) Add(now time.Time, content uint32, body []byte) []byte {
	raw := Message{Kind: o.Kind, Sequence: o.next, ID: NewID(), Content: content, Body: body}.Encode(now)
	o.pending = append(o.pending, pending{o.next, now, raw})
	o.next++
	return raw
}

// Acknowledged takes in a receipt.
func (o *Outgoing) Acknowledged(body []byte) {
	var r receipt
	if json.Unmarshal(body, &r) != nil {
		return
	}
	o.pending = slices.DeleteFunc(o.pending, func(p pending) bool { return p.sequence == r.Sequence })
}

// Again returns what was sent before a time and not acknowledged.
func (o *Outgoing) Again(now, before time.Time) [][]byte {
	var list [][]byte
	for i := range o.pending {
		if p := &o.pending[i]; !p.sent.After(before) {
			p.sent = now
			list = append(list, p.raw)
		}
	}
	return list
}

// Incoming puts what comes into its order. It is not safe for concurrent use.
type Incoming struct {
	next  int64
	ahead map[int64]Message
}

// Take returns the messages whose turn it is, and whether m is kept: then
// acknowledge it.
func (in *Incoming) Take(m Message) (ready []Message, kept bool) {
	if m.Sequence < in.next {
		return nil, true
	}
	if m.Sequence > in.next && (m.Sequence-in.next > maxAhead || len(in.ahead) >= maxAhead) {
		return nil, false
	}
	if in.ahead == nil {
		in.ahead = map[int64]Message{}
	}
	in.ahead[m.Sequence] = m
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
