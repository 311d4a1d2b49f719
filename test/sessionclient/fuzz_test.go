package sessionclient

import (
	"sync"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

// FuzzClientTakesAnything feeds a client with what a hostile service could send: whole
// frames, and the payloads of every kind in frames that are right.
func FuzzClientTakesAnything(f *testing.F) {
	f.Add([]byte(`{"AgentVersion":"3.3.0.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port"}}]}`), uint32(channelmessage.ContentHandshake), int64(0))
	f.Add([]byte(`{"Challenge":"AAAA"}`), uint32(channelmessage.ContentChallenge), int64(0))
	f.Add([]byte(`{"AcknowledgedMessageSequenceNumber":0}`), uint32(0), int64(1))
	f.Fuzz(func(t *testing.T, body []byte, content uint32, sequence int64) {
		s := &Session{known: make(chan struct{}), done: make(chan struct{})}
		s.changed = sync.NewCond(&s.mu)
		if sequence%2 == 0 {
			s.encryption, _ = channelmessage.NewEncryption(make([]byte, channelmessage.KeyBytes))
		}
		for _, kind := range []string{channelmessage.KindOutput, channelmessage.KindAcknowledge, channelmessage.KindClosed, "pause_publication"} {
			raw := channelmessage.Message{Kind: kind, Sequence: sequence, ID: channelmessage.NewID(), Content: content, Body: body}.Encode(time.Unix(0, 0))
			_, _ = s.receive(t.Context(), raw)
		}
		_, _ = s.receive(t.Context(), body)
	})
}
