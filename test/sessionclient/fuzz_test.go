package sessionclient

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

func FuzzMessageIsReadAsItIsWritten(f *testing.F) {
	f.Add([]byte("x"), int64(0), uint32(1))
	f.Fuzz(func(t *testing.T, body []byte, sequence int64, content uint32) {
		m := message{kind: kindInput, sequence: sequence, id: newID(), content: content, body: body}
		got, err := decode(m.encode(time.Unix(0, 0)))
		if err != nil || got.kind != m.kind || got.sequence != sequence || got.id != m.id || got.content != content || !bytes.Equal(got.body, body) {
			t.Fatalf("%+v is read as %+v (%v)", m, got, err)
		}
	})
}

// FuzzClientTakesAnything feeds a client with what a hostile service could send: whole
// frames, and the payloads of every kind in frames that are right.
func FuzzClientTakesAnything(f *testing.F) {
	f.Add([]byte(`{"AgentVersion":"3.3.0.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port"}}]}`), uint32(contentHandshake), int64(0))
	f.Add([]byte(`{"Challenge":"AAAA"}`), uint32(contentChallenge), int64(0))
	f.Add([]byte(`{"AcknowledgedMessageSequenceNumber":0}`), uint32(0), int64(1))
	f.Fuzz(func(t *testing.T, body []byte, content uint32, sequence int64) {
		s := &Session{known: make(chan struct{}), done: make(chan struct{})}
		s.changed = sync.NewCond(&s.mu)
		if sequence%2 == 0 {
			s.encryption, _ = newEncryption(make([]byte, keyBytes))
		}
		for _, kind := range []string{kindOutput, kindAcknowledge, kindClosed, "pause_publication"} {
			raw := message{kind: kind, sequence: sequence, id: newID(), content: content, body: body}.encode(time.Unix(0, 0))
			_, _ = s.receive(t.Context(), raw)
		}
		_, _ = s.receive(t.Context(), body)
	})
}
